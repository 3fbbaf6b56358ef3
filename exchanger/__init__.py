"""
exchanger keeps Braze and an S3 bucket in step.

Importing this package does nothing; the command line lives in ``exchanger.cli``.
"""

__version__ = "0.1.0"
