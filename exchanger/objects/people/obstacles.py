"""Why a call about people would have no effect, in words; each has the reason ``no_effect``."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from exchanger.profiles.frames.columns import FILE, OTHER, PROFILE, ROW
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.spelling.profile_key import shown

SO = "so"
"""The verdict on a row that says what is so already."""
CALL = "call"
"""The verdict on a row that is sent."""
NO_EFFECT = "no_effect"
"""The reason of rows that Braze would take, and that would change nothing."""
NOT_SHOWN = (
    "Braze took it, and a look shows that nothing happened. Look at both profiles; retry gives it "
    "again."
)
"""The reason of a call that Braze took without an effect."""

SENTENCES: Mapping[str, str] = {
    "nobody": "nobody has the identifier {a}, so there is nothing to do it with. Correct it, or "
    "give the row again once there is such a profile.",
    "said_otherwise": "an earlier row of the same run says otherwise of {a}. Give this row again "
    "if it is meant to come second.",
    "claimed": "an earlier row of the same run gives {b} to somebody else. Give this row again if "
    "it is meant to come second.",
    "leaves_itself": "{b} is itself taken from its profile in the same run. Give this row again "
    "once that is done.",
    "alias_taken": "the {b} belongs to another profile already: a name of a label is there once.",
    "no_old_alias": "{a} has no such name to be replaced. Leave it empty to give a further one.",
    "label_taken": "{a} has another name of that label, of which there is one for each profile. "
    "Name that one in 'replaces'.",
    "nobody_kept": "nobody has the identifier {b}, into whom {a} is to be merged. Correct it, or "
    "give the row again once there is such a profile.",
    "same_person": "both sides are {a}. Correct one of them.",
    "target_itself": "the {a} belongs to {b} itself, and to others: Braze identifies none of them. "
    "Merge the others by an identifier of their own.",
    "label_of_target": "{b} has another alias of the same label as {a}, so both cannot be one.",
    "identified": "who has the {a} has another external id already. Rename or merge them instead.",
    "id_taken": "{b} belongs to another profile already, or did: Braze gives no external id twice.",
    "not_primary": "{a} is an old external id of its profile. Name the one that it has now.",
}
"""What is in the way, by a word for it; ``{a}`` is who is meant, ``{b}`` the other identifier."""


def obstacles(rows: pl.DataFrame, why: pl.Expr) -> pl.DataFrame:
    """
    Put rows into words that would have no effect.

    Args:
        rows: With ``@profile`` and ``@other``.
        why: What is in the way of each.

    Returns:
        The columns of ``messages.REJECTED``, and ``profile``.
    """
    sentence = why.replace_strict(SENTENCES, return_dtype=pl.String)
    for mark, key in (("{a}", PROFILE), ("{b}", OTHER)):
        sentence = sentence.str.replace(mark, shown(pl.col(key)).fill_null("?"), literal=True)
    return rows.select(
        FILE,
        ROW,
        pl.lit(None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit(NO_EFFECT).alias("reason"),
        filled("Row {}: {}", ROW, sentence).alias("message"),
        pl.col(PROFILE).alias("profile"),
    )
