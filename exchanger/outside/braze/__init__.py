"""Braze over HTTP: requests, answers, retries and limits."""
