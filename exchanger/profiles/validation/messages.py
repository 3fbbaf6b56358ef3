"""
Rejected rows, in words for whoever made the file.

A reason is a stable word; its sentence says what the cell is not, and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.braze.catalogs import LONGEST_ID
from exchanger.braze.identifiers import LONGEST
from exchanger.config.findings import listed
from exchanger.profiles.frames import columns
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.spelling.invisible import show_invisible

ITEM = "id"
"""What the place of an item's id is called."""
CATALOG = "catalog"
"""What that of its catalog is called, where a column names it."""
_NAMED = {ITEM: "no item", CATALOG: "no catalog"}
"""What a row does not name where such a place is empty; elsewhere it names no profile."""
SHOWN = 100
"""Characters of a bad value that a message shows."""

REJECTED: dict[str, pl.DataType] = {
    columns.FILE: pl.UInt32(),
    columns.ROW: pl.UInt32(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
    "message": pl.String(),
}
"""The frame of rejected rows: at most one entry for each row and field."""

SENTENCES = {
    "no_identifier": "is empty{beside}, so the row names {whom}. Fill it in, or remove the row.",
    "bad_identifier": "is not text and not a whole number, so it cannot be an identifier. "
    "Write the identifiers as text.",
    "header_again": "is the name of the column itself: a header that stands among the rows. "
    "Remove it.",
    "inexact_identifier": "is a number too large for its column, whose numbers keep only their "
    "first digits, so it may stand for another person. Write the identifiers as text.",
    "invisible_sign": "has a sign in it that cannot be seen (shown as <U+...>), so it would name "
    "another profile than the identifier that it looks like. Remove the sign.",
    "lost_letter": "has a sign that stands where a program could not read a letter, so it may name "
    "several people. Export the file again, as UTF-8; if somebody is called so, set 'placeholders: "
    "allow' in 'source'.",
    "placeholder": "is what stands for a missing value, so the row names {whom}. Fill in the "
    "identifier, or remove the row; if somebody is called so, set 'placeholders: allow' in "
    "'source'.",
    "table_footer": "is what stands below a table, its total, its length or its end, so the row "
    "names {whom}. Remove the row; if somebody is called so, set 'placeholders: allow' in "
    "'source'.",
    "rounded_identifier": "is a rounded number, of which the last digits are lost, so it may stand "
    "for several people. Format the column as text, and export it again; if it is an identifier, "
    "set 'placeholders: allow' in 'source'.",
    "grouped_identifier": "is a number with commas between its thousands, as a spreadsheet shows "
    "it, so it would name another profile than the number. Format the column as text, and export "
    "it again; if it is an identifier, set 'placeholders: allow' in 'source'.",
    "identifier_too_long": "is longer than the {longest} bytes that Braze takes as an identifier. "
    "Shorten it.",
    "bad_email": "is not an e-mail address, which here names the profile. Write one address and "
    "nothing else, like ada@example.com.",
    "bad_phone": "is not a phone number that can be dialled, which here names the profile. Write "
    "it with a plus and its country, like +4917012345678.",
    "no_alias_label": "is empty, so the alias of this row has no label and names no profile. Fill "
    "it in, or set one 'label:' for all rows in 'match'.",
    "no_such_state": "is no state: none of the words that the job names means it. Write one of "
    "these, or add it to the words of the job.",
    "no_such_group": "is no subscription group of this workspace. Write the id that the dashboard "
    "shows for the group; names are none.",
    "no_group": "is empty, so nobody knows which subscription group this state is of. Fill it in, "
    "or leave the state empty.",
    "no_such_action": "is no word for somebody who comes or goes: none of the words that the job "
    "names means it. Write one of these, or add it to the words of 'action'.",
    "no_action": "is empty, so nobody knows whether this person comes or goes. Fill it in, or "
    "remove the row.",
    "not_an_integer": "is not a whole number. Write it with the digits 0 to 9 alone, "
    "without separators; say how all are written, 'thousands' in 'csv' of the source; or set "
    "another 'type:' for this field.",
    "integer_too_big": "is beyond the whole numbers of 64 bit. Set 'type: string' to send it "
    "as text.",
    "not_a_number": "is not a number. Write it like 1234.5: with a point, and without "
    "thousands separators; or say how all are written, 'decimal' and 'thousands' in 'csv' of the "
    "source.",
    "rounded_number": "is a number as a spreadsheet shows it that has no room for its digits, and "
    "the last ones may be lost. Widen the column there, and export it again; or, to take it as it "
    "stands, set 'type: float'.",
    "number_too_big": "is too large for a number. Correct it, or set 'type: string'.",
    "too_many_places": "has more than the {scale} decimal places of this field. Round it, "
    "or set a larger 'scale:'.",
    "too_many_digits": "has more than 15 significant digits with {scale} decimal places. "
    "Shorten it, or set 'type: string'.",
    "not_finite": "is not a finite number. Correct it, or set 'nan: empty' to read it as empty.",
    "not_a_boolean": "is neither true nor false. Write true or false (or yes, no, t, f, 1, 0).",
    "not_a_time": "is not a date or time that Braze reads. Write it like 2026-09-15 or "
    "2026-09-15T08:30:00Z.",
    "day_or_month": "is a date of which nobody knows whether the day or the month comes first, "
    "and Braze would take the month. Write the year first, like 1990-04-05; say what "
    "comes first, 'dates' in 'csv' of the source or 'format' of the field; or, to send it as it "
    "stands, set 'type: string'.",
    "other_format": "is not written as the 'format' of this field says. Correct it, or the format.",
    "other_word": "is none of the words for 'true' and 'false' that this field names. Correct it, "
    "or name the word.",
    "year_last": "is a date that does not sort as text, and rows apply in this order. Write the "
    "year first, like 1990-04-05.",
    "number_as_time": "is a number, and could be a time in any unit. Write it like "
    "2026-09-15T08:30:00Z.",
    "no_such_time": "does not exist in the time zone {timezone}, where the clocks go forward "
    "over it. Write the time with its offset, like 2026-09-15T08:30:00Z.",
    "year_out_of_range": "has a year outside of 0 to 3000, which Braze does not store. "
    "Correct it, or leave it empty.",
    "too_long": "is longer than the 255 characters that Braze keeps. Shorten it, or set "
    "'too_long: cut'.",
    "not_text": "is not text but a list, an object or bytes. Set 'type: list' or 'type: json'.",
    "not_a_scalar": "is a list or an object, and this field takes a single value. "
    "Set 'type: list' or 'type: json'.",
    "printed_list": "is a list as a database or a program prints it. Write it as JSON, like "
    '["a", "b"], or as text that is split, like a|b.',
    "nested_member": "holds a list or an object inside the list. Set 'type: json' to send "
    "it as it is.",
    "not_a_phone": "is not a phone number, but an amount, for which a program took it: 'phone' "
    "takes text like +4917012345678. Format the column as text, and export it again.",
    "not_a_gender": "is not a gender for Braze: 'gender' takes M, F, O, N or P, in capitals. "
    "Correct it, or leave it empty.",
    "not_a_language": "is not a language for Braze: 'language' takes a code of ISO 639-1, "
    "like en or fr, without a country. Correct it, or leave it empty.",
    "not_a_country": "is not a country for Braze: 'country' takes a code of ISO 3166-1, "
    "like FR or US. Correct it, or leave it empty.",
    "not_a_time_zone": "is not a time zone for Braze: 'time_zone' takes an IANA name, "
    "like Europe/Paris. Correct it, or leave it empty.",
    "not_a_birthday": "is not a date for Braze: 'dob' takes a day like 1990-05-31. Write it so, "
    "or set 'type: date'.",
    "bad_key": "has a key inside that Braze does not take, and Braze would drop all of it. Keys "
    "have no space, no point and no $, and at most 255 characters. Rename the key.",
    "long_nested_text": "holds a text longer than the 255 characters that Braze takes, and Braze "
    "would drop all of it. Shorten the text.",
    "null_inside": "holds a null in a list inside, and Braze would drop all of it. Leave the "
    "null out.",
    "bad_nested_time": 'holds a "$time" that is not a time that Braze reads, and Braze would '
    'drop all of it. Write it like {{"$time": "2026-09-15T08:30:00Z"}}.',
    "too_large": "is larger than the 100 KB that Braze takes of an object. Shorten it.",
    "an_order": "is not a value but an order to Braze (inc, add or remove), which it would carry "
    "out on what it has. Use 'merge: sum', 'merge: add' or 'merge: remove', or rename the key.",
    "not_an_object": "is not an object, and 'merge: deep' merges the keys of one. Write it like "
    '{{"color": "red"}}, or use another \'merge:\'.',
    "not_objects": "is not an array of objects, whose items 'merge: rows' adds and updates. Write "
    'it like [{{"sku": "a1", "count": 2}}].',
    "no_item_key": "has an item whose key '{key}' is missing, or neither text nor a number, so "
    "nobody knows which item it is. Fill it in, or name another 'key:' in the job.",
    "same_item_key": "has two items of the same '{key}', so nobody knows which one counts. Leave "
    "one of them out, or name another 'key:' in the job.",
    "no_row_id": "is empty, and it names the row: without it nobody could tell whether the row was "
    "sent before. Fill it in.",
    "bad_row_id": "is not text and not a whole number, so it cannot name the row. Write it as "
    "text.",
    "row_id_too_long": "is longer than 987 bytes, and so cannot name the row. Shorten it.",
    "no_order_id": "is empty, and it names the order: without it nobody could tell whether it was "
    "sent before. Fill it in.",
    "bad_order_id": "is not text and not a whole number, so it cannot name the order. Write it as "
    "text.",
    "order_id_too_long": "is longer than the 255 bytes that the name of an order may have. Shorten "
    "it.",
    "no_alias_name": "is empty, and it is the name that the person gets. Fill it in, or remove the "
    "row.",
    "no_label": "is empty, and a name needs its label. Fill it in, or set one 'label:' for all "
    "rows.",
    "long_alias": "is longer than the 236 bytes that Braze takes of a name or label. Shorten it.",
    "nobody_kept": "is empty, so nobody is named to be kept. Fill it in, or remove the row.",
    "no_new_id": "is empty, and it is the external id that the person gets. Fill it in, or remove "
    "the row.",
    "same_id": "is the external id that the person has already. Correct it, or remove the row.",
    "no_event_name": "is empty, and an event needs a name. Fill it in, or remove the row.",
    "bad_event_name": "has a $ in front, which Braze takes for its own events. Rename it.",
    "order_event": "is the name of an event with a form of its own, and Braze would drop this one. "
    "Use another name.",
    "no_time": "is empty, and Braze needs the time at which it happened. Fill it in.",
    "future_time": "is in the future, and Braze would count it as of now. Correct it, or give the "
    "row once it has happened.",
    "no_product": "is empty, and a purchase needs its product. Fill it in, or remove the row.",
    "no_price": "is empty, and a purchase needs a price. Fill it in: 0 if it was free.",
    "no_currency": "is empty, and a purchase needs a currency. Fill it in, like EUR.",
    "not_a_currency": "is no currency for Braze, which takes a code of ISO 4217, like EUR. "
    "Correct it.",
    "bad_quantity": "is no number of pieces for Braze, which takes 1 to 100 in a purchase. Correct "
    "it, or divide the row.",
    "item_too_long": "is longer than the 5,000 characters that a catalog takes. Shorten it; "
    "'too_long: cut' does so with text.",
    "too_many_members": "has more than the 100 members that a catalog takes of a list. Shorten it.",
    "bad_item_key": "has a key inside with a point or a $, which catalogs do not take. Rename the "
    "key.",
    "too_deep": "has more than 50 objects and lists inside of one another, which is more than a "
    "catalog takes. Flatten it.",
    "bad_item_id": "is no id for a catalog, which takes the letters a to z, digits, - and _, at "
    "most 250 of them. Correct it.",
    "no_catalog": "is empty, so nobody knows of which catalog the item is. Fill it in, or remove "
    "the row.",
    "bad_catalog": "is no name of a catalog, which is made of the letters a to z, digits, - and _, "
    "at most 250 of them. Correct it.",
    "no_such_catalog": "is no catalog in Braze. Correct it, or make the catalog there.",
    "no_such_field": "has no place in the catalog '{catalog}', which lacks this field. Leave the "
    "cell empty, or add the field to the catalog in Braze.",
    "other_field_type": "does not fit the catalog '{catalog}', which has this field as {takes}. "
    "Correct it, or set another 'type:' for this field.",
    "not_an_order_event": "is none of the ecommerce events of Braze: product_viewed, cart_updated, "
    "checkout_started, order_placed, order_cancelled or order_refunded. Correct it.",
    "missing_part": "is empty, and Braze drops an event of this kind without it. Fill it in.",
    "negative_amount": "is less than 0, and Braze drops an event with such an amount. Correct it; "
    "what is given back is an event of its own, order_refunded, with the amount above 0.",
    "negative_pieces": "is less than 0, and Braze takes no such number of pieces. Correct it.",
    "not_an_action": "is none of add, remove and replace, and Braze knows no other. Correct it.",
    "not_an_alert": "holds something else than price_drop and back_in_stock, and Braze knows "
    "no other. Correct it.",
    "not_a_list": "is no JSON list, which Braze takes here alone. Write it like "
    '[{{"code": "SUMMER", "amount": 5}}].',
    "faulty_line": "is an order of which another line cannot be used, and a part of an order is "
    "not sent. Correct that line, and give all lines again.",
    "lines_disagree": "is not the same in all lines of its order, and an order has it once. "
    "Correct it, and give all lines again.",
    "several_views": "is the name of several views of products, each of which needs one of "
    "its own. Correct it.",
    "negative_total": "is an order whose lines add up to less than 0, which Braze would drop. "
    "Correct it; what is given back is an event of its own, order_refunded.",
    "order_too_large": "is an order that is larger than the 100 KB that Braze takes, with all its "
    "lines. Leave something out.",
    "late_line": "is an order that was sent without this line, and what was sent cannot be "
    "changed. Give all lines of an order at once; a line that is missing in Braze can be an order "
    "of its own.",
    "invalid_json": 'is not valid JSON. Write it like ["a", "b"] or {{"a": 1}}.',
}
"""What is said of a cell for each reason, after naming the row, the column and the value."""


@dataclass(frozen=True)
class Place:
    """
    Where bad cells are, and what their field expects.

    Args:
        field: The attribute that the cells were for.
        column: The column that they are in.
        scale: Decimal places of the field.
        timezone: Where times without a zone are read.
        beside: Other columns that might have had a value in its place.
        key: What tells the objects of an array apart, under ``rows``.
        catalog: Whose items they are of.
        takes: The type that the field has in that catalog.
    """

    field: str
    column: str
    scale: int = 0
    timezone: str = "UTC"
    beside: tuple[str, ...] = ()
    key: str = ""
    catalog: str = ""
    takes: str = ""


def rejections_of(cells: pl.DataFrame, place: Place) -> pl.DataFrame:
    """
    Put the bad cells of one column into words.

    Args:
        cells: ``@file``, ``@row``, ``value`` (of any type) and ``reason`` of each bad cell.
        place: Where they are.

    Returns:
        The columns of ``REJECTED``.
    """
    # polars 2.1.0 panics where it formats some texts that were filtered out of a mapped file.
    cells = cells.rechunk()
    reasons = cells["reason"].unique().to_list()
    known = {
        "scale": place.scale,
        "timezone": place.timezone,
        "longest": LONGEST.get(place.field, LONGEST_ID),  # type: ignore[call-overload]
        "whom": _NAMED.get(place.field, "no profile"),
        "catalog": place.catalog,
        "takes": place.takes,
        "key": place.key,
        "beside": f", and so {_are(place.beside)}" if place.beside else "",
    }
    sentences = [SENTENCES[reason].format_map(known) for reason in reasons]
    shown = _as_text(cells["value"])
    named = cells.with_columns(value=shown, shown=show_invisible(shown.str.head(SHOWN)))
    named = named.with_columns(
        sentence=pl.col("reason").replace_strict(reasons, sentences, return_dtype=pl.String),
        quoted=pl.when(pl.col("value").is_not_null())
        .then(filled(': "{}" ', pl.col("shown")))
        .otherwise(pl.lit(" ")),
    )
    return named.select(
        columns.FILE,
        columns.ROW,
        pl.lit(place.field).alias("field"),
        "value",
        "reason",
        filled(
            "Row {}, column {}{}{}", columns.ROW, pl.lit(place.column), "quoted", "sentence"
        ).alias("message"),
    )


def _are(names: tuple[str, ...]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {listed(names, 'and')}"


def no_rejections() -> pl.DataFrame:
    """The frame of no rejected rows."""
    return pl.DataFrame(schema=REJECTED)


def _as_text(values: pl.Series) -> pl.Series:
    """Show values of any type."""
    if values.dtype.is_nested():
        wrapped = values.to_frame("x").select(pl.struct("x").struct.json_encode()).to_series()
        return wrapped.str.strip_prefix('{"x":').str.head(-1).rename("value")
    if isinstance(values.dtype, pl.Binary):
        return values.bin.encode("hex")
    return values.cast(pl.String, strict=False)
