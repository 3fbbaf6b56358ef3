"""What is told of one person who is asked for: what runs changed, and what they sent besides."""
