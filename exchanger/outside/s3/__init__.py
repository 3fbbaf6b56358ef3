"""One bucket: objects, listings, uploads, and what S3 says when something is wrong."""
