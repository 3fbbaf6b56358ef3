"""Turns answers into held values, counts and quarantine."""
