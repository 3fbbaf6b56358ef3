"""The demo: a year of purchases through the whole product, each step checked."""
