"""``/users/track``: which objects are taken, and what they do to profiles."""
