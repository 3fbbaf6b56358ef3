"""Says in words what a configuration means: a file for each subject, jobs in `jobs.py`."""
