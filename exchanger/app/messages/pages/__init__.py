"""Pages for people without a terminal: what became of a file that they dropped."""
