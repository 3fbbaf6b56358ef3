"""Rows of a profile into one wanted value per field, strategy by strategy."""
