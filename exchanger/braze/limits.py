"""How much Braze takes: in a request, in a while, and in a value."""

from __future__ import annotations

from datetime import timedelta

LARGEST_BODY = 4_000_000
"""Bytes in a request. Braze says 4 MB, so this is the smaller reading of it (braze-api.md 2.2)."""
OBJECTS_PER_REQUEST = 75
"""Objects in one request to ``/users/track`` (braze-api.md 2.2)."""
ITEMS_PER_REQUEST = 50
"""Items of a catalog in one request (braze-api.md 16)."""
COHORT_IDS_PER_REQUEST = 1_000
"""People in a request that changes a cohort, however they are named (braze-api.md 11)."""
IDS_PER_REQUEST = 50
"""Identifiers in one request to ``/users/export/ids`` (braze-api.md 5)."""
ATTRIBUTES_PER_EXPORT = 500
"""Custom attributes that one export of a segment can name (braze-api.md 4.1)."""
SEGMENTS_PER_PAGE = 100
"""Segments on one page of ``/segments/list`` (braze-api.md 8)."""

TRACK_RATE = 3_000, timedelta(seconds=3)
"""Requests to ``/users/track``, and the time they are counted in (braze-api.md 2.2)."""
IDENTITY_RATE = 20_000, timedelta(minutes=1)
"""Requests about aliases, identify, merge and delete, together (braze-api.md 9)."""
RENAME_RATE = 1_000, timedelta(minutes=1)
"""Requests that rename external ids; as many that remove old ones (braze-api.md 9.6, 9.7)."""
STATUS_RATE = 1_500, timedelta(minutes=1)
"""Requests to ``/users/track/status`` (braze-api.md 2.11)."""
SUBSCRIPTION_RATE = 5_000, timedelta(minutes=1)
"""Requests that set states in subscription groups (braze-api.md 10)."""
STATES_PER_REQUEST = 50
"""People in a request that sets, or reads, states of subscriptions (braze-api.md 10)."""
ADDRESS_KEPT = timedelta(days=30)
"""So long a state is kept for an address or number that no profile has (braze-api.md 10)."""
LOOKUP_RATE = 250, timedelta(minutes=1)
"""
Requests to ``/users/export/ids`` of accounts from 2024-08-22 on; of older ones ten times as many
(braze-api.md 5).
"""
ITEMS_RATE = 16_000, timedelta(minutes=1)
"""Requests that change items of catalogs, all together (braze-api.md 16)."""
CATALOGS_RATE = 50, timedelta(minutes=1)
"""Requests that list catalogs; and as many that are about single items (braze-api.md 16)."""
SHARED_RATE = 250_000, timedelta(hours=1)
"""Requests to all endpoints without a limit of their own, together (braze-api.md 1.5)."""

LONGEST_IDENTIFIER = 987
"""Bytes of an ``external_id`` (braze-api.md 2.3)."""
LONGEST_ALIAS = 236
"""Bytes of the name of an alias, and of its label (braze-api.md 2.3)."""
LONGEST_NAME = 255
"""Characters of an attribute's name; quoted everywhere and stated nowhere (braze-api.md 2.6)."""
LONGEST_TEXT = 255
"""Characters of a text, also inside of objects (braze-api.md 2.6, 2.13)."""
LONGEST_NESTED_NAME = 255
"""Characters of a key inside of an object (braze-api.md 2.13)."""
LONGEST_LIST = 500
"""Members of an array, unless a workspace has fewer (braze-api.md 2.6)."""
LAST_YEAR = 3000
"""The last year of a time; a later one stays text, or is not kept (braze-api.md 2.6, 2.7)."""
LARGEST_NESTED = 100 * 1024
"""Bytes of an object, or of an array of objects: 100 KB (braze-api.md 2.13)."""
