"""Cells into typed values, or the reason why not; a module for each kind of value."""
