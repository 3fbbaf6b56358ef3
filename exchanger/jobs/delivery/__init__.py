"""Sends what a run planned, whoever began it, and notes each answer."""
