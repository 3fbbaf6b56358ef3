"""What is sent of some profiles: their objects, and a second look at an old plan."""
