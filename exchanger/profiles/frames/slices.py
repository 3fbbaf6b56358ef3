"""Parts of many profiles: by slice, and whether all are different."""

from __future__ import annotations

import polars as pl
import polars_hash as plh

SLICES = 1024
"""Values of the column ``slice``: a stable hash of the profile, by which rows are sorted."""


def all_differ(profiles: pl.Series) -> bool:
    """
    Return, quickly, whether no identifier is there twice.

    Returns:
        False also, once in a very long while, where two different ones have a hash in common.
    """
    return profiles.hash().n_unique() == len(profiles)


def slice_of(profile: str) -> pl.Expr:
    """Place a profile: xxhash64 of the identifier modulo ``SLICES``, the same on every machine."""
    digest = plh.col(profile).nchash.xxhash64()
    return (digest % SLICES).cast(pl.Int32)
