"""What people were told of the troubles of jobs, and what is yet to be told."""
