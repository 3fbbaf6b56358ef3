"""Words for what runs note: a file for each subject, joined in `words.py`."""
