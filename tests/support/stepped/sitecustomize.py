"""Lets a process live in the time of a story: Python imports this at its start, before all else."""

import os

if os.environ.get("STORY_TIME"):
    from story_time import follow

    follow(os.environ["STORY_TIME"])
