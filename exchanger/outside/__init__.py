"""The outside world, one file for each system: S3, Braze, Delta tables, time."""
