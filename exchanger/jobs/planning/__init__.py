"""From a batch to a plan, and from a plan to a run that counts."""
