"""Where states of subscriptions are sent."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.braze.endpoints import EMAIL_STATES, GROUPS
from exchanger.profiles.frames.columns import EMAIL_STATE, ENDPOINT, OBJECT, PROFILE, send
from exchanger.profiles.planning.consent_requests import ASKING
from exchanger.profiles.spelling.profile_key import kind_of


@dataclass(frozen=True)
class ConsentTerms:
    """
    How states are sent.

    Args:
        asking: Owners of numbers are asked first (double opt-in, of SMS groups).
    """

    asking: bool = False

    def addressed(self, rendered: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
        """
        Name the endpoint of each object.

        Args:
            rendered: The objects, as ``payloads.objects`` gives them.
            wanted: What is sent in them, row for row.
        """
        if send(EMAIL_STATE) in wanted.columns:
            state = wanted[send(EMAIL_STATE)].str.strip_chars('"')
            names = {name: endpoint.name for name, endpoint in EMAIL_STATES.items()}
            return rendered.with_columns(_named(state, names).alias(ENDPOINT))
        names = {name: endpoint.name for name, endpoint in GROUPS.items()}
        kinds = rendered.select(kind_of(pl.col(PROFILE))).to_series()
        found = rendered.with_columns(_named(kinds, names).alias(ENDPOINT))
        if not self.asking:
            return found
        asked = pl.col(OBJECT).str.strip_suffix("}") + f',"{ASKING}":true}}'
        return found.with_columns(asked.alias(OBJECT))


def _named(values: pl.Series, names: dict[str, str]) -> pl.Series:
    return values.replace_strict(names, return_dtype=pl.String)
