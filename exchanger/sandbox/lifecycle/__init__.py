"""What becomes of profiles as such: aliases, identify, merge, rename and delete."""
