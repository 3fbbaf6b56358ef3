"""What S3, Braze or the cluster that plans did not do, in words for a marketer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial, singledispatch

from exchanger import errors
from exchanger.app.messages.storage_errors import (
    answer_from_between,
    cure_of_surroundings,
    words_for_code,
)
from exchanger.app.messages.words import Message, filled, how_to_install
from exchanger.braze.endpoints import PARTNERS, PERMISSIONS
from exchanger.config.findings import closest

_CHECK = "exchanger check --connect"
_CLUSTER = f"Nothing was sent. To plan here: remove engine from the configuration. Then: {_CHECK}"
_ELSEWHERE = (
    "Compare bucket and export_root in the configuration with the bucket and folder that Braze's"
    " page of the S3 integration names: its exports may go elsewhere."
)
_SHOWN = 10
_TRIED = f"Try: {_CHECK}"
_UNCODED: Mapping[type[Exception], Message] = {
    errors.StorageDenied: Message(
        "S3 does not allow us to {action} s3://{bucket}/{key}{said}.",
        "Look at the access keys in the configuration, or allow these credentials s3:ListBucket,"
        " s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on this bucket."
        f" Then: {_CHECK}",
    ),
    errors.StorageError: Message("S3 could not {action} s3://{bucket}/{key}{said}.", _TRIED),
    errors.StorageUnreachable: Message(
        "S3 did not answer when we tried to {action} s3://{bucket}/{key}{said}.",
        "Nothing is lost. Look at region and endpoint_url in the configuration (with the sandbox:"
        " is exchanger sandbox running?), then run the same command again.",
    ),
    errors.StorageUnreadable: Message(
        "S3 does not give out s3://{bucket}/{key} as it is ({detail}).",
        _TRIED,
    ),
}
"""Words of failures of S3 whose code says nothing more."""
_PLAIN: Mapping[type[Exception], Message] = {
    errors.BrazeError: Message("Braze could not do {endpoint}{said}.", _TRIED),
    errors.CohortMissing: Message(
        "A run sends to the cohort '{key}', and no job of the configuration has its keys.",
        "Nothing is lost. Put the job of the cohort back, with its partner and id, and run the same"
        " command again; or drop what is left of that run: exchanger discard RUN; its number:"
        " exchanger runs --latest",
    ),
    errors.EngineError: Message(
        "The cluster at {address} did not plan the run: {detail}.", _CLUSTER
    ),
    errors.EngineGaveUp: Message(
        "{workers} workers of the cluster at {address} were lost with the same part.",
        f"Mostly they had too little memory: give them more (--memory-limit). {_CLUSTER}",
    ),
    errors.EngineMissing: Message(
        "engine names the Dask cluster {address}, but Dask is not installed ({detail}).",
        how_to_install("dask"),
    ),
    errors.EngineSilent: Message(
        "The cluster at {address} did not plan the run: {detail}.",
        f"A worker may hang: start it again (dask worker {{address}}). {_CLUSTER}",
    ),
    errors.EngineUnreachable: Message(
        "The Dask scheduler at {address} cannot be used: {detail}.",
        f"Start what is missing: dask scheduler, and dask worker {{address}}. {_CLUSTER}",
    ),
    errors.ExportRunning: Message(
        "Braze is already exporting the segment {segment}, or too many exports run.",
        "Nothing is lost. Wait until that export is done, then run the same command again.",
    ),
    errors.QueueError: Message(
        "SQS could not {action} {queue}: {detail}.",
        "Compare source.notices with the queue's address, and allow its reader"
        f" sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes. Then: {_CHECK}",
    ),
    errors.StorageChanged: Message(
        "Another process changed s3://{bucket}/{key} at the same time.",
        "Nothing is lost. Let one process work on a connection at a time, then run the same"
        " command again.",
    ),
    errors.StorageCorrupt: Message(
        "What S3 sent for s3://{bucket}/{key} was cut short, several times.",
        "Run the same command again; if it stays so, upload that object again.",
    ),
    errors.TableUnusable: Message(
        "The table s3://{bucket}/{key}, which holds what exchanger remembers, cannot be used:"
        " {detail}",
        "Restore its objects from the bucket's versions, or ask for help; do not delete it, as sums"
        f" would count twice. Then: {_CHECK}",
    ),
}
"""Words of failures of which nothing but their facts is to be said."""


@singledispatch
def words_for_outside(error: Exception) -> Message:
    """
    Put a failure of S3, Braze or the cluster into words.

    Raises:
        TypeError: It is no such failure.
    """
    raise TypeError(type(error).__name__)


def _uncoded(template: Message, error: errors.StorageError) -> Message:
    words = words_for_code(error) or filled(template, error)
    return replace(words, next=cure_of_surroundings(error) or words.next)


for _kind, _template in _PLAIN.items():
    words_for_outside.register(_kind, partial(filled, _template))
for _kind, _template in _UNCODED.items():
    words_for_outside.register(_kind, partial(_uncoded, _template))


@words_for_outside.register
def _(error: errors.StorageMissing) -> Message:
    if error.key:
        return Message(
            f"There is no object s3://{error.bucket}/{error.key}, which was there a moment ago.",
            "Somebody deleted it meanwhile. Run the same command again.",
        )
    return Message(
        f"There is no bucket called {error.bucket}.",
        "Look at bucket, region and endpoint_url in the configuration (with the sandbox: is"
        f" exchanger sandbox running?). Then: {_CHECK}. If the bucket was deleted, what exchanger"
        " remembered went with it: files that come again in a new one would count again.",
    )


@words_for_outside.register
def _(error: errors.BrazeKeyRefused) -> Message:
    if error.endpoint.startswith(PARTNERS):
        return _cohort_keys(error)
    return answer_from_between(error) or Message(
        f"Braze does not know this API key (401 at {error.endpoint}).",
        "Look at endpoint and api_key in the configuration: a key is valid on its own instance"
        f" only, and must stand without quotes in the environment variable. Then: {_CHECK}",
    )


def _cohort_keys(error: errors.BrazeError) -> Message:
    detail = f": {error.detail}" if error.detail else ""
    return Message(
        f"Braze does not let us change the cohort ({error.status} at {error.endpoint}{detail}).",
        "Look at partner, partner_key and client_secret of the cohort in the job: the first two are"
        " the name and the key that Braze gave the partner, another key in the US than in the EU;"
        " client_secret is the data import key of the partner's page in Braze. api_key has no part"
        f" in it. Then: {_CHECK}",
    )


@words_for_outside.register
def _(error: errors.BrazeForbidden) -> Message:
    if error.endpoint.startswith(PARTNERS):
        return _cohort_keys(error)
    permission = PERMISSIONS.get(error.endpoint, error.endpoint)
    return answer_from_between(error) or Message(
        f"The API key lacks the permission {permission} (403 at {error.endpoint}).",
        "Permissions of a key cannot be changed: create a new REST API key in Braze with this"
        f" permission and put it in place of the old one. Then: {_CHECK}",
    )


@words_for_outside.register
def _(error: errors.BrazeRefused) -> Message:
    return answer_from_between(error) or Message(
        f"Braze refused a request to {error.endpoint} ({error.status}: {error.detail}).",
        "Sending it again would not help. exchanger runs shows what was sent before; to try the key"
        f" and the address: {_CHECK}",
    )


@words_for_outside.register
def _(error: errors.BrazeUnreachable) -> Message:
    answered = f"answered {error.status}" if error.status else "did not answer"
    detail = f" ({error.detail})" if error.detail else ""
    return Message(
        f"Braze {answered} at {error.endpoint}{detail}, although we tried several times.",
        cure_of_surroundings(error)
        or "Nothing is lost and nothing will count twice: what was acknowledged is recorded. Run"
        " the same command again later.",
    )


@words_for_outside.register
def _(error: errors.SegmentMissing) -> Message:
    if error.ambiguous:
        ids = "".join(f"\n  {number}" for number in error.ambiguous)
        return Message(
            f"Several segments are called '{error.wanted}':{ids}",
            "Put the id of the one that you mean into the configuration as segment.",
        )
    if not error.known:
        what = f"Braze has no segment '{error.wanted}', and no other either."
    elif guess := closest(error.wanted, error.known):
        what = f"Braze has no segment '{error.wanted}'; did you mean '{guess}'?"
        if others := [name for name in error.near if name != guess]:
            what += f" Also spelt much like it:{_lines(others)}"
    else:
        what = f"Braze has no segment '{error.wanted}'. There are:{_lines(error.known)}"
    return Message(what, "All of them, with their ids: exchanger segments")


@words_for_outside.register
def _(error: errors.CatalogMissing) -> Message:
    what = f"Braze has no catalog '{error.wanted}'"
    if guess := closest(error.wanted, error.known):
        what += f"; did you mean '{guess}'?"
    else:
        what += f". There are:{_lines(error.known)}" if error.known else ", and no other either."
    return Message(
        what,
        "Nothing was sent, and the files wait. Create the catalog in Braze, or correct 'catalog' in"
        f" the job. Then: {_CHECK}",
    )


@words_for_outside.register
def _(error: errors.CatalogDiffers) -> Message:
    lines = [f"it has no field '{name}'" + _near(name, error.known) for name in error.lacking]
    lines += [
        f"its field '{name}' is of type {theirs}, and the job's values are of type {ours}"
        for name, (ours, theirs) in error.retyped.items()
    ]
    return Message(
        f"The catalog '{error.catalog}' does not fit the job:{_lines(lines)}",
        "Nothing was sent, and the files wait. Add the field to the catalog in Braze, or correct"
        " the job: name another field, leave it out, or set its 'type'. Then run it again.",
    )


def _near(name: str, known: list[str]) -> str:
    guess = closest(name, known)
    return f"; did you mean '{guess}'?" if guess else ""


def _lines(names: list[str]) -> str:
    more = len(names) - _SHOWN
    rest = f"\n  and {more:,} more" if more > 0 else ""
    return "".join(f"\n  {name}" for name in names[:_SHOWN]) + rest


@words_for_outside.register
def _(error: errors.ExportIncomplete) -> Message:
    detail = f" ({error.detail})" if error.detail else ""
    what = f"Braze did not complete the export within the time allowed{detail}."
    again = "The next run waits for the same export again and asks for no other."
    if error.empty_folder:
        return Message(f"{what} No file came to {error.empty_folder}.", f"{_ELSEWHERE} {again}")
    return Message(
        what, f"{again} For large segments, allow more time: completion: {{timeout: 8h}}"
    )


@words_for_outside.register
def _(error: errors.ExportEmpty) -> Message:
    fine = (
        " If the segment may be empty, write this into the job: empty: allow"
        if error.may_be_allowed
        else " If Braze really knows nobody yet: baseline: assume_empty"
    )
    look = _ELSEWHERE if error.folder else "Look at the filters of the segment in Braze."
    return Message(
        f"Braze's export of the segment '{error.segment}' brought nobody: {error.seen}."
        " Nothing was written or learnt from it.",
        look + fine,
    )


@words_for_outside.register
def _(error: errors.EngineDiffers) -> Message:
    lines = [
        f"\n  {name}: {error.theirs[name] or 'not installed'} there, {error.ours[name]} here"
        for name in error.theirs
        if error.theirs[name] != error.ours.get(name)
    ]
    return Message(
        f"{error.worker or 'A worker'} of the cluster at {error.address} has other versions, so it"
        f" might decide otherwise:{''.join(lines)}",
        f"Install the same versions there and start it again. {_CLUSTER}",
    )
