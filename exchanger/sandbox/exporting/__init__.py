"""Segments, exports of their users, and look-ups."""
