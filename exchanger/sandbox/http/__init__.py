"""The door: endpoints, keys, faults and limits."""
