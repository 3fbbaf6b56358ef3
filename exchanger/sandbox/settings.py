"""What a sandbox workspace is like: limits, timing, and every behaviour that Braze leaves open."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from exchanger.sandbox.attributes.forced_types import FORCED_TYPES, ForcedType
from exchanger.sandbox.http.pools import POOLS
from exchanger.sandbox.tracking.currencies import USD_RATES

MEGABYTE = 1024 * 1024
DELAYED = frozenset(
    {
        "alias", "identify", "merge", "merge_removal", "delete", "rename", "subscription",
        "catalog", "cohort",
    }
)  # fmt: skip
"""Kinds of work that can wait before it takes effect."""

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Mapping: "an object of names and values",
    frozenset: "a list of names",
}
"""Kinds of values in words."""


def _fits(value: object, kind: object) -> bool:
    """Check that a value is of a kind; of one that is not among those in words anything is."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is frozenset:
        return isinstance(value, Collection) and not isinstance(value, str)
    return isinstance(value, kind) if kind in (bool, Mapping) else True


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """
    The knobs of a workspace. The defaults are Braze as documented and measured.

    Times are seconds.

    Args:
        api_keys: Key to its permissions; ``None`` grants all.
        workspace: Which workspace it is. The ids of segments, exports and profiles are made from
            it, so two sandboxes of one name are alike; without a name each is one of its kind.
        track_limit_mode: Objects counted over the three arrays together, or in each.
        track_objects: Most objects in one request to ``/users/track``.
        track_requests: Requests to ``/users/track`` in each window.
        track_window: Length of that window.
        lookup_requests: Requests to ``/users/export/ids`` in each window.
        lookup_window: Length of that window.
        shared_requests: Requests per clock hour to all endpoints without a limit of their own.
        pool_requests: Requests in each window of the other pools, where Braze's limit is not
            wanted: ``status``, ``identity``, ``rename``, ``remove``, ``subscriptions``,
            ``catalog_items``, ``catalog_reads``, ``catalogs``, ``cohorts``, ``listings``.
        header_dialect: ``epoch`` (reset is an instant) or ``relative`` (MAU contracts: reset is
            seconds; a 429 carries ``x-ratelimit-retry-after`` alone) on ``/users/track``.
        headers_on_429: Whether a 429 of the ``epoch`` dialect carries the three headers.
        track_status: Status of an accepted track request.
        export_status: Status of an accepted segment export.
        lookup_status: Status of a look-up.
        error_style: Per-object errors as the sentences measured or the codes documented.
        empty_errors: ``errors`` of a request without any: left out, null, or an empty list.
        failed_counters: The counter of an array of which all objects failed: left out, or 0.
        max_body_bytes: Largest request body.
        oversize_status: Status of a larger one.
        array_limit: Members kept in an array attribute; the oldest go first.
        date_coercion: Whether strings that look like times become times.
        blocklist: Custom attributes, events and products that are accepted and not processed.
        forced_types: Custom attributes of a forced type, ``boolean``, ``number`` or ``string``;
            what does not fit is accepted and ignored.
        group_status: ``/users/track/status``, a beta of Braze: ``on``, ``off``, ``forbidden``
            (requests are tracked, and nobody may ask), ``late`` (a request is counted a minute
            after it was accepted) or ``stuck`` (no request is ever done).
        update_only_skips: Whether objects that are skipped for want of a profile are ``counted``
            as processed, or ``left_out``.
        oversized_properties: Whether too large properties refuse the ``item`` or the ``request``.
        ecommerce_faults: A request in which every fault is one of an ecommerce event succeeds
            without them (``dropped``), or is a 400 if nothing else is in it (``refused``).
        repeated_order: An ``order_placed`` of an order that was placed ``counts`` again, or is
            ``ignored``.
        invalid_nested: What an invalid nested value drops: its ``attribute``, or all nested
            attributes of the ``object``.
        update_without_merge: What ``$update`` without ``_merge_objects`` replaces: the ``item``,
            or the whole ``attribute``.
        several_matches: Several profiles of an e-mail or phone in identify: ``prioritization``
            chooses, or ``never`` is anybody identified.
        unknown_external_id: One that nobody has in identify: it is ``added``, or ``refused``.
        unknown_group: A subscription group that does not exist: ``refused``, or ``accepted``
            without effect.
        catalog_conflicts: POST of an item that exists and PATCH of one that does not: ``ignored``,
            or ``written``.
        catalog_bytes: How much all catalogs may hold.
        clock_moves: What moves the last-updated clock of a profile: ``writes`` of attributes,
            only ``changes`` of values, or ``everything`` (events and subscriptions too).
        increment_points: Data points of ``inc``: 1 or 0.
        purchase_points: Data points of a purchase: one per ``unit``, or per ``object``.
        segmented_properties: Event or product to the properties by which segments can ask.
        usd_rates: USD for one unit of a currency; one that is not named counts as USD.
        partners: Partner to its API key, for cohorts.
        client_secrets: Data import key to the partner that it was made for.
        delete_status: Status of an accepted delete.
        delays: How long accepted work waits before it takes effect, by its kind: ``alias``,
            ``identify``, ``merge``, ``merge_removal``, ``delete``, ``rename``, ``subscription``,
            ``catalog``, ``cohort``. Track has ``apply_delay``.
        apply_delay: Time from the answer of track until the profile shows it; 0 applies first.
        apply_reorder: Whether the delay varies from 0 to twice its length, so that requests
            overtake each other.
        users_per_file: Users in one file of a segment export.
        seconds_per_file: Time until each file of an export appears; 0 writes all at once, at
            once, in the background.
        export_fail_after_files: An export goes silent after so many files: no more, no callback.
        export_repeats: So many users of each file appear in the next one too.
        empty_export: Whether the export of a segment without users writes ``nothing`` or a
            ``file`` without lines.
        size_series: ``/segments/data_series``: sizes are ``exact``, ``estimated`` (10 % off, and 0
            below 100 users), have ``gaps`` (every second day), or there are ``none``.
        export_url_lifetime: How long a download address works once the export is ready.
        max_running_exports: Segment exports that may run at once.
        lookup_requires_fields: Whether ``/users/export/ids`` insists on ``fields_to_export``.
        unknown_fields: A name in ``fields_to_export`` that does not exist: ignored or refused.
        created_at_style: ``iso`` (``2026-09-15T00:00:00.000Z``) or ``utc``
            (``2026-09-15 00:00:00.000 UTC``).
        latency: Time every answer takes at least.
        error_rate: Share of requests answered with a 5xx, nothing applied.
        lost_answer_rate: Share of requests that are applied, and the connection dropped.
        too_many_rate: Share of requests answered with a 429 without any hint, nothing applied.
        seed: Of everything random: ids, errors, order.
        keep_requests: Request bodies kept for inspection: so many at most, the newest.
        keep_bytes: How large they may be together.
        keep_writes: So many of the newest objects are kept with what became of them.
    """

    api_keys: Mapping[str, frozenset[str] | None] = field(
        default_factory=lambda: {"sandbox-key": None}
    )
    workspace: str = ""
    track_limit_mode: Literal["combined", "per_array"] = "combined"
    track_objects: int = 75
    track_requests: int = 3000
    track_window: int = 3
    lookup_requests: int = 250
    lookup_window: int = 60
    shared_requests: int = 250_000
    pool_requests: Mapping[str, int] = field(default_factory=dict)
    header_dialect: Literal["epoch", "relative"] = "epoch"
    headers_on_429: bool = True
    track_status: int = 201
    export_status: int = 201
    lookup_status: int = 201
    error_style: Literal["sentence", "code"] = "sentence"
    empty_errors: Literal["absent", "null", "list"] = "absent"
    failed_counters: Literal["absent", "zero"] = "absent"
    max_body_bytes: int = 4 * MEGABYTE
    oversize_status: int = 413
    array_limit: int = 500
    date_coercion: bool = True
    blocklist: frozenset[str] = frozenset()
    forced_types: Mapping[str, ForcedType] = field(default_factory=dict)
    group_status: Literal["on", "off", "forbidden", "late", "stuck"] = "off"
    update_only_skips: Literal["counted", "left_out"] = "counted"
    oversized_properties: Literal["item", "request"] = "item"
    ecommerce_faults: Literal["dropped", "refused"] = "dropped"
    repeated_order: Literal["counts", "ignored"] = "counts"
    invalid_nested: Literal["attribute", "object"] = "attribute"
    update_without_merge: Literal["item", "attribute"] = "item"
    several_matches: Literal["prioritization", "never"] = "prioritization"
    unknown_external_id: Literal["added", "refused"] = "added"
    unknown_group: Literal["refused", "accepted"] = "refused"
    catalog_conflicts: Literal["ignored", "written"] = "ignored"
    catalog_bytes: int = 500 * MEGABYTE
    clock_moves: Literal["writes", "changes", "everything"] = "writes"
    increment_points: int = 1
    purchase_points: Literal["unit", "object"] = "unit"
    segmented_properties: Mapping[str, Collection[str]] = field(default_factory=dict)
    usd_rates: Mapping[str, float] = field(default_factory=lambda: dict(USD_RATES))
    partners: Mapping[str, str] = field(default_factory=lambda: {"partner": "partner-key"})
    client_secrets: Mapping[str, str] = field(default_factory=lambda: {"import-key": "partner"})
    delete_status: int = 200
    delays: Mapping[str, float] = field(default_factory=dict)
    apply_delay: float = 0.0
    apply_reorder: bool = False
    users_per_file: int = 5000
    seconds_per_file: float = 0.0
    export_fail_after_files: int | None = None
    export_repeats: int = 0
    empty_export: Literal["nothing", "file"] = "nothing"
    size_series: Literal["exact", "estimated", "gaps", "none"] = "exact"
    export_url_lifetime: float = 4 * 3600.0
    max_running_exports: int = 100
    lookup_requires_fields: bool = True
    unknown_fields: Literal["ignored", "refused"] = "ignored"
    created_at_style: Literal["iso", "utc"] = "iso"
    latency: float = 0.0
    error_rate: float = 0.0
    lost_answer_rate: float = 0.0
    too_many_rate: float = 0.0
    seed: int = 0
    keep_requests: int = 1000
    keep_bytes: int = 100 * MEGABYTE
    keep_writes: int = 1000

    def __post_init__(self) -> None:
        """Refuse a choice that does not exist."""
        for name, kind in get_type_hints(type(self)).items():
            if get_origin(kind) is Literal and getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} is one of {', '.join(get_args(kind))}")
            if not _fits(getattr(self, name), get_origin(kind) or kind):
                raise ValueError(f"{name} is {_KINDS[get_origin(kind) or kind]}")
        if not set(self.forced_types.values()) <= FORCED_TYPES:
            raise ValueError(f"forced types are {', '.join(sorted(FORCED_TYPES))}")
        if unknown := sorted(set(self.delays) - DELAYED):
            raise ValueError(f"no such delay: {', '.join(unknown)}")
        if unknown := sorted(set(self.pool_requests) - POOLS.keys()):
            raise ValueError(f"no such pool: {', '.join(unknown)}")

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """
        These settings with some replaced; lists from JSON become the sets they stand for.

        Raises:
            ValueError: There is no setting of that name, or no such choice.
        """
        names = {known.name for known in dataclasses.fields(self)}
        if unknown := sorted(set(changes) - names):
            raise ValueError(f"no such setting: {', '.join(unknown)}")
        values = dict(changes)
        if "blocklist" in values and not isinstance(values["blocklist"], str):
            values["blocklist"] = frozenset(values["blocklist"])
        if isinstance(values.get("api_keys"), Mapping):
            values["api_keys"] = {
                key: None if granted is None else frozenset(granted)
                for key, granted in values["api_keys"].items()
            }
        return dataclasses.replace(self, **values)

    def shown(self) -> dict[str, Any]:
        """All settings as JSON can carry them."""
        values = dataclasses.asdict(self)
        values["blocklist"] = sorted(self.blocklist)
        values["api_keys"] = {
            key: None if granted is None else sorted(granted)
            for key, granted in self.api_keys.items()
        }
        return values
