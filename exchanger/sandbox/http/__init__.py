"""The door: requests, keys, faults, limits, and looks inside."""
