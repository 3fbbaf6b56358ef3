"""Names of the control columns that travel beside the fields of a profile."""

PROFILE = "@profile"
"""String: the identifier that names the profile."""
FILE = "@file"
"""UInt32: position of the file in the run's list of files, from 0."""
ROW = "@row"
"""UInt32: data row in its file, from 1; a header does not count."""
ORDER = "@order"
"""The sort key of ``order_by``, typed; null sorts first. Absent without ``order_by``."""
ROW_ID = "@row_id"
"""
String: what names a row for good; of jobs with ``row_id`` alone. Of orders, the id of the order,
and in outboxes what names its event for good.
"""
FAULTY = "@faulty"
"""Boolean: the row was rejected, and stands here so that the rest of its order is, too."""
ORDER_NAME = "@order_name"
"""String: what names the event of an order for good."""
LINE = "@line"
"""String: what names a line of it: the event, U+001F, and what the line says of its product."""
LINES = "@lines"
"""String: what names the lines that an order is sent with, less its name, one below the other."""
ROWS = "@rows"
"""UInt32: how many rows of the run named the profile."""
KNOWN = "@known"
"""Boolean: the profile was known to us before this run."""
EXISTS = "@exists"
"""Boolean or null: the profile was observed to exist, to be absent, or neither."""
IDENTIFIED = "@identified"
"""
String: the key that stands for the person whom a key means, as JSON: the external id, else the
first alias, else the key itself; ``null`` if nobody was seen to have it. It is held like a field,
and is none, as no attribute is called so.
"""
BESIDE = "@beside"
"""String: the key of an identifier that has a value beside the one that names the profile."""
OTHER = "@other"
"""String: the key of the other identifier that a call about people names; null if none."""
MEANT = "@meant"
"""String: the ``braze_id`` of whom the key of a call meant when it was planned; several joined."""
WHO = "@who"
"""String: the external id of whom the key of a call meant when it was planned; null if none."""
OTHER_WHO = "@other_who"
"""String: the same of its other identifier."""
NAMES = "@names"
"""List of String: all keys of the people that a call is about, as far as a look showed them."""
EMAIL_STATE = "@email_state"
"""The state of an e-mail address, for all who have it. It is held like a field, as ``@identified``
is."""
GROUP = "@group:"
"""Goes before the id of a subscription group: a person's state there, held likewise."""
MEMBER = "@member:"
"""
Goes before the name of an audience: whether somebody belongs to it, ``true`` or ``false``. It is
held likewise, by what files have said, whatever became of the events about it.
"""
COHORT = "@cohort:"
"""
Goes before the name of a partner, a slash and the id of a cohort: whether somebody was given to it,
``true`` or ``false``. It is held likewise, by what Braze has accepted, as nobody can look it up.
"""
ITEM = "@item"
"""UInt32: position in the outbox, from 0."""
ENDPOINT = "@endpoint"
"""String: the path an object is sent to."""
OBJECT = "@object"
"""String: the JSON object that is sent."""
POINTS = "@points"
"""UInt32: data points that the object costs (braze-api.md 13)."""
SURE = "@sure"
"""Boolean: the profile exists once Braze accepts its object, so held values may advance."""
MERGED = "@merged"
"""Boolean: Braze is to merge the objects within the object, not to replace them."""
STAMP = "@stamp"
"""Int64: the newest run that anything held of the profile is known to include."""

SAID = "@said:"
ORDERED = "order:"
SENT = "@sent:"
SEEN = "@seen:"
BEFORE = "before:"
WANTED = "wanted:"
SEND = "send:"
MERGING = "merging:"


def is_shown(field: str) -> bool:
    """Return whether Braze shows a field in a look-up; who is in a cohort it tells nobody."""
    return not field.startswith(COHORT)


def said(field: str) -> str:
    """Name the Boolean column that tells whether a row speaks of a ``clear`` field."""
    return SAID + field


def ordered(field: str) -> str:
    """Name the Boolean column that tells whether a row's ``@order`` counts for a field."""
    return ORDERED + field


def before(field: str) -> str:
    """Name the column of a field's canonical value before the change."""
    return BEFORE + field


def wanted(field: str) -> str:
    """Name the column of a field's canonical value after the change; null: no change."""
    return WANTED + field


def send(field: str) -> str:
    """Name the column of the JSON fragment to send for a field; null: not sent."""
    return SEND + field


def sent_column(field: str) -> str:
    """Name the column of a field's canonical value as it was delivered last; null: never."""
    return SENT + field


def merging(field: str) -> str:
    """Name the Boolean column that tells whether what is sent has to be merged, or to replace."""
    return MERGING + field


REJECTED_COLUMNS = ("_row", "_column", "_reason")
"""Columns behind rejected rows that are to be corrected: where each stood, and what is wrong."""
