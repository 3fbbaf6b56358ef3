"""What no single value shows: what must go together, lengths, jobs in each other's way."""
