"""Rows that do something with people as such, a file for each sort of call."""
