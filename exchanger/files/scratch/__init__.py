"""Frames that wait on disk, read ahead, within a budget of memory."""
