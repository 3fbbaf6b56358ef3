"""Merges JSON in parts: objects leaf by leaf, arrays of objects by their key."""
