"""Catalogs and their items."""
