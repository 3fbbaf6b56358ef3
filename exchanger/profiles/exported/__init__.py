"""What Braze exported: chosen, read line by line, cast, and taken as held rows."""
