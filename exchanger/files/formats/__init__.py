"""Reads the formats that people send: CSV, NDJSON and Parquet, each exactly."""
