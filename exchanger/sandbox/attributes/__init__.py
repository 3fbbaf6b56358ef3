"""What becomes of the fields of a profile when values and operators arrive."""
