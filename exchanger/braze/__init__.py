"""Facts about Braze, each with the section of ``braze-api.md`` that it comes from. No polars."""
