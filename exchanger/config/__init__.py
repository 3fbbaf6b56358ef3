"""The configuration contract: models, loading, and every problem at once."""
