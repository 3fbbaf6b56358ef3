"""Delta Lake tables: appended to, read, rewritten, with files prepared beside."""
