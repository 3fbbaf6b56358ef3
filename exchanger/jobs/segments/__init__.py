"""Segment exports: asked for, waited for, published as a dataset, or read for their users."""
