"""Rows that were not applied: written, read again, and given again once."""
