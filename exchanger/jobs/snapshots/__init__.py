"""Whom a snapshot has, beside whom its job had before."""
