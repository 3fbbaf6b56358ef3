"""The version of exchanger, apart from all else that could be asked for it."""

__version__ = "0.1.0"
