"""``/sandbox/...``: what happened inside, and what is arranged from outside."""
