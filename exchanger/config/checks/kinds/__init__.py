"""Checks of what belongs to each kind of object, joined in `objects.py`."""
