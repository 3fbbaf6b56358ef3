"""A faithful local Braze over HTTP, and a local S3."""
