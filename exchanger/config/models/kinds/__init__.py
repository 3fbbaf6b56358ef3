"""What a job says of each kind of object."""
