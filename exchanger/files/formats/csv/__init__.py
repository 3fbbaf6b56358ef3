"""Reads CSV as people send it: how it is written is told first, then each cell exactly."""
