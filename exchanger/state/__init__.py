"""What the bucket remembers: runs, applied files, held values."""
