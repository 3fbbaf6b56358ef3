"""Finds what the command line names; a name that means nothing is a wrong use of the verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from exchanger.app import choosing
from exchanger.app.messages.errors import words_for
from exchanger.errors import NotAnImport, NotConfigured, WhichConnection


@contextmanager
def _usage(option: str) -> Iterator[None]:
    """Raise as ``typer.BadParameter`` what ``app.choosing`` does not find."""
    try:
        yield
    except (NotConfigured, NotAnImport, WhichConnection) as error:
        what = words_for(error).what
        raise typer.BadParameter(what[0].lower() + what[1:], param_hint=option) from error


job_of = _usage("JOB")(choosing.job_of)
import_job_of = _usage("JOB")(choosing.import_job_of)
connections_of = _usage("--connection")(choosing.connections_of)
only_connection = _usage("--connection")(choosing.only_connection)
