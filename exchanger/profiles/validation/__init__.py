"""What Braze would refuse or ignore, and the words for a rejected row."""
