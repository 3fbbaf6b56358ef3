"""Telling people of the troubles of jobs: what a run means, to whom, and the sending itself."""
