"""Held values: rows as they are appended, what is read of them, compaction."""
