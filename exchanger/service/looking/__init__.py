"""Finds out which import jobs have something to do."""
