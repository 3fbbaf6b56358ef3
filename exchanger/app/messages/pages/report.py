"""What became of a file, in words for whoever dropped it, who has nothing but the bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exchanger.app.messages.pages.html import report_page
from exchanger.app.messages.words import with_connection
from exchanger.config.findings import counted

Facts = Mapping[str, Any]

TITLES = {
    "applied": "Applied",
    "applied_in_part": "Applied in part",
    "not_applied": "Not applied",
    "waits": "Waits for a decision",
    "dropped": "Dropped by a person",
    "left_out": "Left out",
    "empty": "Nothing to apply",
    "taken_back": "Taken back",
    "put_back": "Applied again",
    "tried": "Only tried out",
    "not_read": "Not read",
}
"""What stands at the top of a page, by what became of the file."""

_CORRECT = (
    "Correct the rows named below, and drop them in a new file of the same columns: these rows "
    "alone, as all others of this file are applied. The same file, dropped again as it is, is not "
    "read again."
)
_CORRECT_IN_PLACE = (
    "Correct the rows named below, in their place: all others of this file are applied. Each row "
    "counts once, however often it is dropped there."
)
_PLACE = (
    "All of these rows, in the columns of the file: s3://{bucket}/{rejected_rows}. Correct them "
    "there, and drop the result as s3://{bucket}/{corrected_rows}. Leave the column _row, which "
    "says for which row of this file each one stands; _column and _reason may go."
)
_CORRECT_SNAPSHOT = (
    "Correct the rows named below, and drop the whole file again with them: the newest file of "
    "this folder is the whole truth, so never drop these rows alone."
)
_STILL_WRONG = "What is still wrong of {file} is told in the report about that file."
_WHERE_WRONG = (
    "Correct it in s3://{bucket}/{rejected_rows}, and drop the result as "
    "s3://{bucket}/{corrected_rows}."
)
_STANDS_FOR_NONE = (
    "Rows named below stand for no rejected row, and were not applied: look at their _row. Rows "
    "that are new belong into a new file."
)
_KINDS = {
    "rejected": "not accepted",
    "refused": "refused by Braze",
    "dropped": "left out",
}
_CANARY = "canary"
"""The reason of rows that were not sent with the rest of their run."""
_PLAIN = {
    "tried": "This file was read{when} to try out the job, and nothing of it was sent to Braze.",
    "empty": "This file was read{when}, and has no rows.",
    "unreadable": "This file could not be read{when}, so nothing of it was sent to Braze.",
    "stopped": (
        "The job stopped at this file{when}. Nothing of it was sent to Braze, and nothing of the "
        "files that came with it."
    ),
}
"""What became of a file where nothing else is to be said, by the verdict, or why it is not read."""
_NOT_READ = {
    "unreadable": (
        "Whoever looks after exchanger, or who uploaded the file, has to make it readable, as is "
        "said below. The next run then takes it; it need not be dropped again."
    ),
    "stopped": (
        "Correct the file as is said below, and drop it again under its name. If the file is "
        "right, the settings of the job have to be corrected: show this page to whoever looks "
        "after exchanger. Until then the job takes none of its files."
    ),
}
"""What is to be done about a file that is not taken yet, by why not."""
_UNDONE = {
    "taken_back": (
        "What run {run} had applied of this file was taken back{when}, but for values that were "
        "changed again since."
    ),
    "put_back": (
        "What run {run} had applied of this file had been taken back, and was put back{when}, but "
        "for values that were changed in between."
    ),
}
_OF_SOME_ROWS = (
    "These are rows that had been put aside before, and were given once more; nothing else of the "
    "file is concerned."
)
_NEW_NAME = "the file under a new name"
_OUTCOMES = {
    "superseded": "a newer file of this folder counts alone",
    "overtaken": "a newer version of it was applied meanwhile",
}


def report_files(facts: Facts, of: str = "") -> tuple[str, str]:
    """
    Word what became of a file: the same facts as JSON and as a page.

    Args:
        facts: As ``jobs.answers.facts`` puts them together.
        of: What names the connection in a command; empty where there is only one.
    """
    what = "file" if facts["outcome"] == "rejected" else "row"
    told = {
        **facts,
        "title": TITLES[facts["verdict"]],
        "summary": " ".join(_summary(facts)),
        "not_taken": [{**one, "said": _reason(one, what)} for one in facts["not_taken"]],
        "left_out": [{**one, "said": _reason(one, "value")} for one in facts["left_out"]],
        "next": [with_connection(said, of) for said in _next(facts)],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n", report_page(told)


def _summary(facts: Facts) -> Iterator[str]:
    rows, verdict = facts["rows"], facts["verdict"]
    when = f" on {said_when(facts['ended_at'])}" if facts.get("ended_at") else ""
    plain = _PLAIN.get(facts["outcome"] if verdict == "not_read" else verdict)
    if plain is not None:
        yield plain.format(when=when)
    elif verdict == "waits":
        yield "Nothing of this file was sent to Braze."
        yield f"It has waited since{when.removeprefix(' on')}, until a person decides about it."
    elif verdict == "dropped":
        sent = facts["whole_run"]["rows_applied"]
        yield f"A person dropped this file{when}."
        yield (
            f"What Braze had of it by then stays: {counted(sent, 'row')}."
            if sent
            else ("Nothing of it was sent to Braze.")
        )
    elif verdict in _UNDONE:
        yield _UNDONE[verdict].format(run=facts["earlier"]["run"], when=when)
        yield from [_OF_SOME_ROWS] if _is_of_some_rows(facts) else []
    elif verdict == "left_out":
        why = _OUTCOMES.get(facts["outcome"], "")
        yield f"Nothing of this file was sent to Braze, as {why}."
    elif verdict == "not_applied":
        yield f"Nothing of this file could be applied{when}."
        if rows["skipped"]:
            yield f"{_less(facts)}."
    elif verdict == "applied":
        yield f"All of this file was applied{when}: {counted(rows['taken'], 'row')}."
    else:
        yield f"{rows['taken']:,} of {counted(rows['read'], 'row')} were applied{when}."
        yield f"{_less(facts)}."
    yield from _of_a_run_before(facts)


def _less(facts: Facts) -> str:
    """Describe how many rows were not taken, by why."""
    rows = facts["rows"]
    kinds = {
        "rejected": "could not be accepted",
        "refused": f"were {'not sent, or ' if _has_withheld(facts) else ''}refused by Braze",
        "in_doubt": "were sent, and Braze did not say whether it took them",
        "skipped": "were left out, as the job leaves such people as they are",
    }
    return ", ".join(f"{rows[kind]:,} {words}" for kind, words in kinds.items() if rows[kind])


def _has_withheld(facts: Facts) -> bool:
    """Return whether rows were not sent, as Braze did not have what was sent first of their run."""
    return any(one["reason"] == _CANARY for one in facts["not_taken"])


def _of_a_run_before(facts: Facts) -> Iterator[str]:
    earlier = facts.get("earlier")
    if earlier is None or earlier["taken_back"]:
        return
    if earlier["waited"]:
        yield f"It had waited for a decision since run {earlier['run']}."
    else:
        yield (
            f"These are the rows that run {earlier['run']} could not apply, given once more; all "
            "others of this file were dealt with then."
        )


def _reason(reason: Mapping[str, Any], what: str) -> str:
    """Describe in a few words why rows, or values, were not taken."""
    why = str(reason["reason"]).replace("_", " ")
    about = f", column {reason['column']}" if reason.get("column") else ""
    kind = "not sent" if reason["reason"] == _CANARY else _KINDS[reason["kind"]]
    return f"{counted(reason['rows'], what)} {kind}: {why}{about}"


def _next(facts: Facts) -> Iterator[str]:
    """Yield what is to be done, a sentence or two each."""
    rows, verdict, run = facts["rows"], facts["verdict"], facts["run"]
    if verdict == "tried":
        yield "Nothing. Whoever looks after exchanger decides when the job goes live."
        return
    if verdict == "not_read":
        yield _NOT_READ[facts["outcome"]]
    elif verdict == "waits":
        yield (
            "Somebody has to decide. Show this page to whoever looks after exchanger, and name "
            f"run {run}: it can be approved, which applies the file, or discarded."
        )
        yield from facts["choices"]
    elif facts["outcome"] == "rejected":
        yield (
            "Correct the file as the reason below says, and drop it again, under the same name or "
            "another. If the file is right, the settings of the job have to be corrected: show "
            "this page to whoever looks after exchanger."
        )
    elif rows["rejected"]:
        yield from _correct(facts)
    if rows["refused"] or rows["in_doubt"]:
        lost = "were not sent, or that Braze" if _has_withheld(facts) else "Braze"
        yield (
            f"Rows that {lost} refused, or did not answer about, can be given once more by whoever "
            f"looks after exchanger: exchanger retry {run}"
        )
    if verdict == "applied":
        yield _if_all_applied(facts)
    elif verdict in ("left_out", "empty", "dropped", *_UNDONE):
        some = verdict in _UNDONE and _is_of_some_rows(facts)
        what = "the rows that you need, and no others, in a new file" if some else _NEW_NAME
        yield f"Nothing, unless you expected something else. Then drop {what}."


def _is_of_some_rows(facts: Facts) -> bool:
    """Return whether a run was about rows of a file that another had put aside."""
    return facts["outcome"] in ("retried", "corrected")


def _if_all_applied(facts: Facts) -> str:
    if facts["left_out"]:
        return (
            "Correct the values named below, if you need them, and drop their rows in a new file."
        )
    whole, rows = facts["whole_run"], facts["rows"]
    if any(whole.get(f"rows_{kind}", 0) > rows[kind] for kind in ("refused", "in_doubt")):
        return (
            "Nothing, unless it has rows of people whom other files of run "
            f"{facts['run']} name after it: Braze did not take some of these, as their reports say."
        )
    if whole["rows_skipped"]:
        return "Nothing, unless you expected changes of people whom the job leaves as they are."
    return "Nothing. Everything in this file is in Braze."


def _correct(facts: Facts) -> Iterator[str]:
    """Yield how rows that could not be accepted are corrected."""
    if of := facts.get("corrects"):
        strange = sum(one["rows"] for one in facts["not_taken"])
        if facts["rows"]["rejected"] > strange:
            yield _STILL_WRONG.format_map(of)
            if of["corrected_rows"]:
                yield _WHERE_WRONG.format(**of, bucket=facts["bucket"])
        if strange:
            yield _STANDS_FOR_NONE
    elif facts.get("corrected_rows"):
        yield _CORRECT_IN_PLACE
        yield _PLACE.format_map(facts)
    elif facts.get("snapshot"):
        yield _CORRECT_SNAPSHOT
    else:
        yield _CORRECT
        yield from _where_the_rows_are(facts)


def _where_the_rows_are(facts: Facts) -> Iterator[str]:
    if facts.get("rejected_rows"):
        yield (
            f"All of these rows, in the columns of the file: s3://{facts['bucket']}/"
            f"{facts['rejected_rows']}. Correct them there, and drop that as the new file; the "
            "columns _row, _column and _reason behind them may stay."
        )


def said_when(text: str) -> str:
    """Write a moment as people do, in UTC."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"
