"""Where Braze takes what, and the permission that a key needs for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from exchanger.braze.limits import (
    COHORT_IDS_PER_REQUEST,
    IDS_PER_REQUEST,
    ITEMS_PER_REQUEST,
    LARGEST_BODY,
    OBJECTS_PER_REQUEST,
    STATES_PER_REQUEST,
)

TRACK = "/users/track"
"""Takes changes of profiles (braze-api.md 2)."""
TRACK_STATUS = "/users/track/status"
"""Tells whether a group of requests is processed, a beta (braze-api.md 2.11)."""
EXPORT_SEGMENT = "/users/export/segment"
"""Begins an export of a segment (braze-api.md 4)."""
CANCEL_EXPORT = "/export/segment/cancel"
"""Stops the running exports of a segment; there is no ``/users`` before it (braze-api.md 4.3)."""
EXPORT_IDS = "/users/export/ids"
"""Returns single profiles (braze-api.md 5)."""
LIST_SEGMENTS = "/segments/list"
"""Returns the segments of the workspace, page by page (braze-api.md 8)."""
SIZE_SEGMENT = "/segments/data_series"
"""Returns the estimated size of a segment, day by day (braze-api.md 8)."""
NEW_ALIASES = "/users/alias/new"
"""Gives profiles further names (braze-api.md 9.2)."""
UPDATE_ALIASES = "/users/alias/update"
"""Puts another name in the place of one (braze-api.md 9.3)."""
IDENTIFY = "/users/identify"
"""Gives an external id to who is known otherwise (braze-api.md 9.4)."""
MERGE = "/users/merge"
"""Makes one of two profiles (braze-api.md 9.5)."""
DELETE = "/users/delete"
"""Deletes profiles for good (braze-api.md 9.1)."""
RENAME_IDS = "/users/external_ids/rename"
"""Gives profiles another external id; the old one goes on to be valid (braze-api.md 9.6)."""
REMOVE_IDS = "/users/external_ids/remove"
"""Ends the validity of old external ids (braze-api.md 9.7)."""

IN_ONE_POOL = (NEW_ALIASES, UPDATE_ALIASES, IDENTIFY, MERGE, DELETE)
"""Endpoints whose requests count together (braze-api.md 9)."""
CATALOGS = "/catalogs"
"""Lists the catalogs of the company with their fields (braze-api.md 16)."""
CATALOG_ITEMS = "/catalogs/{name}/items"
"""Takes changes of the items of a catalog, by four methods with one limit (braze-api.md 16)."""
CATALOG_ITEM = "/catalogs/{name}/items/{id}"
"""Returns one item of a catalog (braze-api.md 16)."""
SET_GROUPS = "/v2/subscription/status/set"
"""Sets states of people in subscription groups (braze-api.md 10)."""
GROUP_STATES = "/subscription/user/status"
"""Returns the subscription groups of people in which their state was ever set (braze-api.md 10)."""
STATE_IN_GROUP = "/subscription/status/get"
"""Returns the states of people, or of mere addresses, in one group (braze-api.md 10)."""
EMAIL_STATUS = "/email/status"
"""Sets the state of e-mail addresses, for all who have them (braze-api.md 10)."""
PARTNERS = "/partners/"
"""Below it partners have keys of their own, which stand in bodies (braze-api.md 11)."""
COHORTS = f"{PARTNERS}{{name}}/cohorts"
"""Makes a cohort of a partner, or gives it another name (braze-api.md 11)."""
COHORT_USERS = f"{COHORTS}/users"
"""Takes who comes into a cohort and who leaves it (braze-api.md 11)."""

PERMISSIONS = {
    TRACK: "users.track",
    TRACK_STATUS: "users.track.status",
    EXPORT_SEGMENT: "users.export.segment",
    CANCEL_EXPORT: "segments.list",
    EXPORT_IDS: "users.export.ids",
    LIST_SEGMENTS: "segments.list",
    SIZE_SEGMENT: "segments.data_series",
    NEW_ALIASES: "users.alias.new",
    UPDATE_ALIASES: "users.alias.update",
    IDENTIFY: "users.identify",
    MERGE: "users.merge",
    DELETE: "users.delete",
    RENAME_IDS: "users.external_ids.rename",
    REMOVE_IDS: "users.external_ids.remove",
    CATALOGS: "catalogs.get",
    f"POST {CATALOG_ITEMS}": "catalogs.add_items",
    f"PATCH {CATALOG_ITEMS}": "catalogs.update_items",
    f"PUT {CATALOG_ITEMS}": "catalogs.replace_items",
    f"DELETE {CATALOG_ITEMS}": "catalogs.delete_items",
    CATALOG_ITEM: "catalogs.get_item",
    SET_GROUPS: "subscription.status.set",
    GROUP_STATES: "subscription.groups.get",
    STATE_IN_GROUP: "subscription.status.get",
    EMAIL_STATUS: "email.status",
}
"""
The permission of each endpoint, or of a method there, as the dashboard names it (braze-api.md 2,
4, 4.3, 5, 8, 9, 16). Cohorts have keys of their own instead.
"""


Packing = Literal["listed", "groups", "addresses", "cohort"]
"""How objects become a request."""


@dataclass(frozen=True)
class Endpoint:
    """
    Where objects of one kind are sent, many in a request.

    Args:
        name: What outboxes call it.
        path: Of the API; ``{name}`` in it stands for what *of* says.
        array: The key of a request under which its objects are listed, and by which errors name
            them (braze-api.md 2.10).
        objects: How many a request takes at most.
        idempotent: Whether sending an object again changes nothing more. Of others, one that may
            have been taken is in doubt, and never sent again by itself.
        size: How many bytes a request takes at most.
        deletes: Whether each object deletes something for good.
        methods: A request is sent by each of them, in this order.
        of: Whose objects they are: the name of a catalog, or of a partner with the id of one of its
            cohorts; empty where nobody needs to say.
        asked: Whether Braze is asked of each request without an answer if it was taken, where it
            tells that (braze-api.md 2.11).
        packed: How objects become a request: listed as they are, or the people of each subscription
            group and state together, or the addresses of one state, or who comes into a cohort and
            who leaves it.
    """

    name: str
    path: str
    array: str
    objects: int
    idempotent: bool
    size: int = LARGEST_BODY
    deletes: bool = False
    packed: Packing = "listed"
    methods: tuple[str, ...] = ("POST",)
    of: str = ""
    asked: bool = False

    @property
    def counts_again(self) -> bool:
        """Whether an object that is sent again, as it may be, counts once more."""
        return self.idempotent and self.array in {EVENTS.array, PURCHASES.array}

    @property
    def address(self) -> str:
        """Where requests go."""
        return self.path.replace("{name}", self.of.partition("/")[0]) if self.of else self.path

    @property
    def alone(self) -> bool:
        """Whether one request is sent at a time: a cohort that is changing is locked."""
        return self.packed == "cohort"

    def most(self, batch_size: int) -> int:
        """
        Return how many objects a request has at most.

        Args:
            batch_size: As many as one to ``/users/track`` may have. Of people in a cohort there is
                nothing but their name.
        """
        return self.objects if self.packed == "cohort" else min(batch_size, self.objects)

    @property
    def in_outbox(self) -> str:
        """What stands beside an object in an outbox."""
        return f"{self.name}:{self.of}" if self.of else self.name


ATTRIBUTES = Endpoint(
    name="attributes",
    path=TRACK,
    array="attributes",
    objects=OBJECTS_PER_REQUEST,
    idempotent=True,
)
"""Attributes of profiles: absolute values, so that sending them again is safe (braze-api.md 2)."""

EVENTS = replace(ATTRIBUTES, name="events", array="events", idempotent=False)
"""Custom events, which count each time they are sent (braze-api.md 2.8)."""
PURCHASES = replace(EVENTS, name="purchases", array="purchases")
"""Purchases, likewise (braze-api.md 2.9)."""
EVENTS_AGAIN = replace(EVENTS, name="events-again", idempotent=True)
"""Events of a job that would rather count one twice than not at all (``on_unknown: resend``)."""
PURCHASES_AGAIN = replace(PURCHASES, name="purchases-again", idempotent=True)
"""Purchases, likewise."""
EVENTS_ASKED = replace(EVENTS, name="events-asked", asked=True)
"""Events of which Braze is asked where the answer was lost (``on_unknown: ask``)."""
PURCHASES_ASKED = replace(PURCHASES, name="purchases-asked", asked=True)
"""Purchases, likewise."""

MEMBERSHIP = replace(ATTRIBUTES, name="membership", path="", array="", methods=())
"""Nowhere: who belongs to an audience is only remembered. Such objects count as accepted."""

RENAMES = Endpoint(
    name="renames",
    path=RENAME_IDS,
    array="external_id_renames",
    objects=IDS_PER_REQUEST,
    idempotent=True,
)
"""New external ids. Sent again, one is refused: a look shows that it is done (braze-api.md 9.6)."""
RENAMES_FOR_GOOD = replace(RENAMES, name="renames-for-good")
"""Those after which the old id ends (``remove_old``)."""
ALIASES = replace(RENAMES, name="aliases", path=NEW_ALIASES, array="user_aliases")
"""Further names of people; a name that is taken changes nothing (braze-api.md 9.2)."""
ALIAS_UPDATES = replace(RENAMES, name="alias-updates", path=UPDATE_ALIASES, array="alias_updates")
"""Other names in the place of some; likewise (braze-api.md 9.3)."""
MERGES = replace(RENAMES, name="merges", path=MERGE, array="merge_updates")
"""Two profiles that become one; sent again, nobody is left to be merged (braze-api.md 9.5)."""
IDENTIFIES = {
    "alias": replace(RENAMES, name="identify-aliases", path=IDENTIFY, array="aliases_to_identify"),
    "email": replace(
        RENAMES,
        name="identify-emails",
        path=IDENTIFY,
        array="emails_to_identify",
        idempotent=False,
    ),
    "phone": replace(
        RENAMES,
        name="identify-phones",
        path=IDENTIFY,
        array="phone_numbers_to_identify",
        idempotent=False,
    ),
}
"""
External ids for who is known otherwise, by what names them (braze-api.md 9.4).

One that is named by an address or number could hit the next person if it were sent again.
"""
DELETIONS = replace(RENAMES, name="deletions", path=DELETE, array="braze_ids", deletes=True)
"""Profiles that end, each by an id that nobody gets again (braze-api.md 9.1)."""
REMOVALS = replace(RENAMES, name="removals", path=REMOVE_IDS, array="external_ids")
"""Old external ids that end; likewise (braze-api.md 9.7)."""
ITEMS_CHANGED = Endpoint(
    name="items-update",
    path=CATALOG_ITEMS,
    array="items",
    objects=ITEMS_PER_REQUEST,
    idempotent=True,
    methods=("PATCH",),
)
"""Fields of items that exist; of others Braze takes no notice (braze-api.md 16)."""
ITEMS_MADE = replace(ITEMS_CHANGED, name="items-upsert", methods=("POST", "PATCH"))
"""
Items of which nobody knows whether they exist. One request makes those that do not, and is without
effect on the others; the second changes these. Either may come first (braze-api.md 16).
"""
ITEMS_REPLACED = replace(ITEMS_CHANGED, name="items-replace", methods=("PUT",))
"""Items as a whole: what they do not say is gone (braze-api.md 16)."""
ITEMS_DELETED = replace(ITEMS_CHANGED, name="items-delete", methods=("DELETE",), deletes=True)
"""Items that go (braze-api.md 16)."""

GROUPS = {
    kind: Endpoint(
        name=f"subscriptions-{kind}",
        path=SET_GROUPS,
        array="subscription_groups",
        objects=STATES_PER_REQUEST,
        idempotent=True,
        packed="groups",
    )
    for kind in ("external_id", "email", "phone")
}
"""
States in subscription groups, by what names the people: the kinds do not go into one request
(braze-api.md 10). States are absolute, so sending them again is safe.
"""
EMAIL_STATES = {
    state: Endpoint(
        name=f"email-{state}",
        path=EMAIL_STATUS,
        array="email",
        objects=STATES_PER_REQUEST,
        idempotent=True,
        packed="addresses",
    )
    for state in ("opted_in", "subscribed", "unsubscribed")
}
"""States of e-mail addresses, of which one request sets one (braze-api.md 10)."""
COHORT = Endpoint(
    name="cohort",
    path=COHORT_USERS,
    array="cohort_changes",
    objects=COHORT_IDS_PER_REQUEST,
    idempotent=True,
    packed="cohort",
)
"""Who comes into a cohort and who leaves it. To do either again is safe (braze-api.md 11)."""

ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        ATTRIBUTES,
        EVENTS,
        EVENTS_AGAIN,
        PURCHASES,
        PURCHASES_AGAIN,
        MEMBERSHIP,
        EVENTS_ASKED,
        PURCHASES_ASKED,
        RENAMES,
        RENAMES_FOR_GOOD,
        REMOVALS,
        ALIASES,
        ALIAS_UPDATES,
        MERGES,
        *IDENTIFIES.values(),
        DELETIONS,
        *GROUPS.values(),
        *EMAIL_STATES.values(),
        *(ITEMS_CHANGED, ITEMS_MADE, ITEMS_REPLACED, ITEMS_DELETED),
        COHORT,
    )
}
"""By name."""


def endpoint_named(text: str) -> Endpoint:
    """Return the endpoint that stands beside an object in an outbox."""
    name, _, of = text.partition(":")
    return replace(ENDPOINTS[name], of=of) if of else ENDPOINTS[name]
