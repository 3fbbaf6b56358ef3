"""What every way in shares: it builds the outside, runs a job, and finds the words."""
