"""The stories: import, export, backfill, and what they share."""
