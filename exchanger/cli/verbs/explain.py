"""``exchanger explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import (
    AsJson,
    ConfigPath,
    JobName,
    Kind,
    Label,
    Level,
    ProfileName,
    key_of,
)

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob

_MISSING = 2
"""The exit code if nobody knows the profile, or the field: it is misspelt."""


def explain(  # noqa: PLR0913 - one for each option
    job: JobName,
    profile: ProfileName,
    field: Annotated[
        str | None,
        typer.Argument(
            metavar="FIELD",
            help="An attribute in Braze, or the name of an event or product; all if left out.",
        ),
    ] = None,
    *,
    by: Annotated[
        Kind | None,
        typer.Option(
            "--by", help="What the identifier is; the first one of the job's match if left out."
        ),
    ] = None,
    label: Label = "",
    catalog: Annotated[
        str, typer.Option("--catalog", help="The catalog of an item, where a column names it.")
    ] = "",
    before: Annotated[
        int | None,
        typer.Option(
            "--before",
            metavar="RUN",
            min=1,
            help="Look for what was sent or put aside in runs before this one alone, where only "
            "the newest ones are looked into.",
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show why a profile has a value: which runs changed it, from which file and row, and how.

    Also what is held of it now, who has seen it last, and which of its rows did not come through.
    Of events, purchases and orders, which ones were sent: of JOB; of calls about people, of all.

    Example: exchanger explain crm_profiles 4711 loyalty_tier
    """
    from exchanger.app.messages.explanations import describe_explanation
    from exchanger.app.messages.notes.words import worded
    from exchanger.app.wiring import open_context, prepare
    from exchanger.cli.choosing import import_job_of
    from exchanger.cli.exit import print_result
    from exchanger.jobs.explain import explain as tell
    from exchanger.jobs.explain import item_of

    loaded = prepare(config, log_level, as_json=as_json)
    wanted = import_job_of(loaded, job)
    if wanted.catalog:
        key = item_of(wanted, profile.strip(), catalog)
    else:
        key = None if catalog else key_of(profile, *_meant(wanted, by, label))
    if key is None:
        raise typer.BadParameter(_which(wanted), param_hint="--catalog")
    with open_context(loaded, loaded.connection_of(job)) as context:
        found = tell(context, job, wanted, key, field, before=before)
    print_result(worded(found.to_dict(), context.option), describe_explanation, as_json=as_json)
    raise typer.Exit(0 if found.is_known else _MISSING)


def _which(job: ImportJob) -> str:
    """Return what to write of the catalog of an item."""
    if job.catalog_column is not None:
        return f"name the catalog of the item, which column {job.catalog_column} of a file has"
    return f"the job's catalog is {job.one_catalog}" if job.catalog else "the job has no catalog"


def _meant(job: ImportJob, by: Kind | None, label: str) -> tuple[Kind, str]:
    """Return what an identifier is if nobody says so, and the label of an alias if all have one."""
    kinds = [match.kind for match in job.match]
    kind = by or Kind(kinds[0] if kinds else "external_id")
    if kind is Kind.alias and not label:
        labels = [match.alias.label for match in job.match if match.alias is not None]
        label = next((text for text in labels if isinstance(text, str)), "")
    return kind, label
