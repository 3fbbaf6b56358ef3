"""The machine: models of S3 and Braze that lie, delay and die, and a judge of what comes of it."""
