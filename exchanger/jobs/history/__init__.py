"""What earlier runs left: reports, runs that wait or are unfinished, who was forgotten."""
