"""What is said to people: errors with the next thing to type, reports, comparisons."""
