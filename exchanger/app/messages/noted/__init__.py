"""The words of what is noted: a table of codes for each subject, and who puts them beside facts."""
