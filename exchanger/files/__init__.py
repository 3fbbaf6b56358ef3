"""Formats of the files we read and write, and the names of every object we write."""
