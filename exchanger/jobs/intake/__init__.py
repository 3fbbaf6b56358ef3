"""What files bring into a run: a batch, what counts once, what comes late or is in odd types."""
