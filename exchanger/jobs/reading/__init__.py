"""The files of a run, fetched and decided about, and their rows cast: small ones together."""
