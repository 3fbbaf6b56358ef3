"""What all formats share: the table that is read, its names, its text, its compression."""
