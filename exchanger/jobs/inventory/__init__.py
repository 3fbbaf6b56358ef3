"""What lies in the folders, and what became of it: waiting, applied, left over, unclaimed."""
