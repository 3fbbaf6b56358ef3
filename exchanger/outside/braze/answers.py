"""What Braze's answers mean. No I/O; sources are named by section of ``braze-api.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, NoReturn

import orjson

from exchanger.profiles.spelling.profile_key import keys_of_user

_EPOCH_FROM = 1e8
"""A reset value from here on is a time, below it is seconds to wait (1.5)."""

REMAINING = "X-RateLimit-Remaining"
"""The header that tells how many requests are left (1.5)."""

_RETRY_AFTER = ("X-Ratelimit-Retry-After", "Retry-After")

_TRACKING_TROUBLES = ("request_status_", "invalid_group_id")
"""What the errors begin with that say that a request is not tracked (2.11)."""

_PAIRS = ("rename_errors", "removal_errors")
"""Where external ids that could not be renamed or removed are told (9.6, 9.7)."""

_BUSY = 503
_LOST = (408, 504)
"""What is answered when nobody knows what became of a request."""


class Fault(Exception):
    """
    An attempt that failed, where another may not.

    Args:
        status: The HTTP status; 0 if there was no answer.
        detail: What is known; may hold secrets.
        uncertain: Whether the attempt may have taken effect.
    """

    def __init__(self, status: int, detail: str, *, uncertain: bool) -> None:
        self.status = status
        self.detail = detail
        self.uncertain = uncertain
        super().__init__(f"{status}")

    @property
    def untaken(self) -> bool:
        """Whether the attempt surely had no effect: there was no connection, or a 503."""
        return not self.uncertain or self.status == _BUSY

    @property
    def lost(self) -> bool:
        """
        Whether the answer was lost on its way, so that the attempt may count like any other.

        A 5xx says that nothing was processed (2.10), except where the server stood before did not
        get an answer either (1.5).
        """
        return self.uncertain and (self.status < 300 or self.status in _LOST)


class RateLimited(Exception):
    """
    An attempt that was answered with 429, or 423 of a cohort that changes: nothing was processed.

    Args:
        status: The HTTP status.
        detail: What the answer says; may hold secrets.
        told: Seconds to wait, if it says so.
        for_all: Whether it says that no other request would be taken meanwhile.
    """

    uncertain = False

    def __init__(self, status: int, detail: str, told: float | None, *, for_all: bool) -> None:
        self.status = status
        self.detail = detail
        self.told = told
        self.for_all = for_all
        super().__init__(f"{status}")


@dataclass(frozen=True)
class Answer:
    """
    What came back for one attempt.

    Args:
        status: The HTTP status.
        headers: Compared without case.
        body: As received.
        uncertain: An earlier attempt of the same request may have taken effect.
        lost: Earlier attempts of the same request whose answer was lost.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    uncertain: bool = False
    lost: int = 0


@dataclass(frozen=True)
class TrackAnswer:
    """
    What became of the objects in one request (2.10).

    Args:
        accepted: True: Braze has queued every object that is not in ``refused``. False: it has
            processed nothing; send those that are not in ``refused`` again, without the refused.
        refused: Position in the request to Braze's reason. Several reasons are joined
            by ``; ``.
        warnings: What Braze reported beyond that: errors without a position, or of another array.
        uncertain: An earlier attempt of the same request may have taken effect, so a refused
            object's fields may have changed all the same.
        lost: Earlier attempts of the same request whose answer was lost: Braze may have taken, and
            billed, each of them too.
        tracked: Whether Braze had no trouble with the ``group_id`` of the request (2.11).
    """

    accepted: bool
    refused: dict[int, str]
    warnings: tuple[str, ...] = ()
    uncertain: bool = False
    lost: int = 0
    tracked: bool = True


@dataclass(frozen=True)
class ExportStarted:
    """
    A segment export that Braze has begun (4.2).

    Args:
        object_prefix: The last folder in the keys of its files.
        url: Where the archive will be, if the workspace has no storage of its own connected. It is
            signed, so it is a secret.
    """

    object_prefix: str
    url: str | None


@dataclass(frozen=True)
class IdsAnswer:
    """
    Profiles that were looked up (5).

    Args:
        users: The profiles as Braze spells them; a key that is not there is empty. Numbers are int
            or Decimal, with the digits that Braze sent.
        unknown: Identifiers that Braze says have no profile.
        unanswered: Keys of profiles that Braze said nothing about; neither known nor unknown.
    """

    users: list[dict[str, Any]]
    unknown: list[str]
    unanswered: list[str]


@dataclass(frozen=True)
class Segment:
    """A segment of the workspace, as listed (8)."""

    id: str
    name: str
    tags: tuple[str, ...] = ()


def read_track(answer: Answer, array: str) -> TrackAnswer | None:
    """
    Read an answer to objects: any 2xx, or a 400.

    Args:
        answer: The answer.
        array: The key of the request under which they were listed.

    Returns:
        None for a 400 that names no object: it is about the request as a whole.

    Raises:
        Fault: A 2xx whose body is no JSON object. Its outcome is unknown.
    """
    accepted = answer.status != 400
    try:
        body = object_of(answer)
    except Fault:
        if accepted:
            raise
        return None
    errors = body.get("errors") or _by_place(body)
    if accepted and not errors:
        return TrackAnswer(accepted, {}, (), answer.uncertain, answer.lost)
    refused: dict[int, list[str]] = {}
    unplaced: list[Any] = []
    for error in errors if isinstance(errors, list) else [errors] if errors else []:
        position = _position(error, array)
        if position is None:
            unplaced.append(error)
        else:
            reasons = refused.setdefault(position, [])
            reason = _text(error.get("type", error))
            reasons.extend([] if reason in reasons else [reason])
    if not accepted and not refused:
        return None
    joined = {position: "; ".join(reasons) for position, reasons in sorted(refused.items())}
    tracked = not any(map(is_tracking_trouble, unplaced))
    said = tuple(map(_text, unplaced))
    return TrackAnswer(accepted, joined, said, answer.uncertain, answer.lost, tracked)


def read_export(answer: Answer) -> ExportStarted:
    """
    Read the answer to the start of a segment export; ``url`` may be absent, null or text (4.2).

    Raises:
        Fault: It names no prefix.
    """
    body = object_of(answer)
    prefix = body.get("object_prefix")
    if not isinstance(prefix, str) or not prefix:
        raise unreadable(answer, "no object_prefix")
    url = body.get("url")
    return ExportStarted(prefix, url if isinstance(url, str) and url else None)


def exact_json(answer: Answer) -> Any:
    """
    Parse a body whose numbers keep the digits that Braze sent.

    Raises:
        Fault: It is no JSON, or has a number that no profile can hold.
    """
    try:
        # json, not orjson: integers beyond 64 bits and the digits of decimals must survive.
        return json.loads(
            answer.body,
            parse_float=lambda text: Decimal(_held(text)),
            parse_int=lambda text: int(_held(text)),
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError) as error:
        raise unreadable(answer, "no JSON") from error


def read_ids(answer: Answer, asked: Sequence[str]) -> IdsAnswer:
    """
    Read looked-up profiles, numbers with the digits that Braze sent.

    Args:
        answer: The answer.
        asked: The keys of the profiles that it is about.

    Raises:
        Fault: There is no list of users, an identifier is no text, or custom attributes are
            no object.
    """
    body = exact_json(answer)
    users = body.get("users") if isinstance(body, dict) else None
    if not isinstance(users, list) or not all(isinstance(user, dict) for user in users):
        raise unreadable(answer, "no list of users")
    names = [user.get("external_id") for user in users]
    listed = body.get("invalid_user_ids") or []
    if not isinstance(listed, list) or not all(isinstance(name, str | None) for name in names):
        raise unreadable(answer, "identifiers that are none")
    if not all(isinstance(user.get("custom_attributes"), dict | None) for user in users):
        raise unreadable(answer, "custom attributes that are none")
    unknown = [str(name) for name in listed]
    answered = {*unknown, *names}
    if not answered.issuperset(asked):
        answered = answered.union(*map(keys_of_user, users))
    return IdsAnswer(users, unknown, [name for name in asked if name not in answered])


def read_segments(answer: Answer) -> list[Segment]:
    """
    Read one page of segments.

    Raises:
        Fault: There is no list of segments.
    """
    listed = object_of(answer).get("segments")
    if not isinstance(listed, list):
        raise unreadable(answer, "no list of segments")
    try:
        return [
            Segment(str(entry["id"]), str(entry["name"]), tuple(map(str, entry.get("tags") or ())))
            for entry in listed
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise unreadable(answer, "a segment without id or name") from error


def read_size(answer: Answer) -> int | None:
    """
    Read the newest size of a segment from its series, in whatever order its days are (8).

    Returns:
        None where no day has one.

    Raises:
        Fault: There is no list of days.
    """
    days = object_of(answer).get("data")
    if not isinstance(days, list):
        raise unreadable(answer, "no list of days")
    known = [
        (str(day["time"]), day["size"])
        for day in days
        if isinstance(day, dict) and type(day.get("size")) is int and "time" in day
    ]
    return max(known)[1] if known else None


def message_of(answer: Answer) -> str:
    """
    Find what an answer says in words: ``message``, ``error`` (1.4), or else the start of the body.

    Secrets are still in it: a 401 echoes the key.
    """
    try:
        body = object_of(answer)
    except Fault:
        return answer.body[:2000].decode(errors="replace").strip()
    said = body.get("message") or body.get("error")
    errors = body.get("errors")
    return "; ".join(_text(part) for part in (said, errors) if part)


def told_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Find how many seconds a 429 asks to wait, in either dialect (1.5).

    Returns:
        None if it does not say, as where it tells a reset and that requests remain until then;
        never less than 0.
    """
    names = _RETRY_AFTER if remaining(headers) else (*_RETRY_AFTER, "X-RateLimit-Reset")
    for name in names:
        value = _number(headers.get(name))
        if value is not None:
            return max(0.0, value - now.timestamp() if value >= _EPOCH_FROM else value)
    return None


def is_told_to_all(headers: Mapping[str, str]) -> bool:
    """Check whether a 429 says that it is about all requests: when to retry, or none remain."""
    if remaining(headers) == 0:
        return True
    return any(_number(headers.get(name)) is not None for name in _RETRY_AFTER)


def remaining(headers: Mapping[str, str]) -> float | None:
    """Find how many requests are left; None if it is not told (1.5)."""
    return _number(headers.get(REMAINING))


def object_of(answer: Answer) -> dict[str, Any]:
    """
    Read the JSON object that an answer is.

    Raises:
        Fault: It is something else.
    """
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise unreadable(answer, "no JSON") from error
    if not isinstance(body, dict):
        raise unreadable(answer, "no JSON object")
    return body


def unreadable(answer: Answer, why: str) -> Fault:
    """Build the fault of an answer that cannot be read, whose outcome is unknown."""
    return Fault(answer.status, f"an answer that cannot be read: {why}", uncertain=True)


def is_tracking_trouble(error: Any) -> bool:
    """Check whether an error says that a request is not tracked: no object is meant (2.11)."""
    said = error.get("type") if isinstance(error, dict) else None
    return isinstance(said, str) and said.startswith(_TRACKING_TROUBLES)


def _by_place(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Read errors that are a position and a reason each (9.6, 9.7)."""
    pairs = [pair for name in _PAIRS for pair in body.get(name) or ()]
    return [{"index": pair[0], "type": pair[1]} for pair in pairs if len(pair) == 2]


def _position(error: Any, array: str) -> int | None:
    """Find which object an error is about; an error that names no array counts."""
    if not isinstance(error, dict) or error.get("input_array", array) != array:
        return None
    index = error.get("index")
    return index if type(index) is int and index >= 0 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        # Retry-After may also be a date, and proxies write what they like: not told, then.
        return None
    return number if 0 <= number < float("inf") else None


def _held(text: str) -> str:
    """Refuse what is beyond a double, which no profile can hold."""
    if not isfinite(float(text)):
        _no_number(text)
    return text


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
