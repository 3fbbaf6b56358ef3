"""Files into a batch: staged, read, counted once, put in order."""
