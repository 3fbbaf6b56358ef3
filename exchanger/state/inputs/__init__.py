"""What is remembered of files: the ledger, high-water marks of order, types of columns."""
