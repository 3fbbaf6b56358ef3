"""What Braze has, by look-ups and segments, compared with what is held."""
