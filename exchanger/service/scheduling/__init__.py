"""When jobs are due, and which runs next."""
