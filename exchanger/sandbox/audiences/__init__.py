"""Groups of users: segments, and the cohorts of partners."""
