import polars as pl
import pytest

from exchanger.profiles.spelling.data_points import field_points

REMOVE = '{"$identifier_key":"id","$identifier_value":4}'
UPDATE = f'{REMOVE[:-1]},"$new_object":{{"a":1,"b":{{"c":"$new_object","d":[1]}}}}}}'


@pytest.mark.parametrize(
    ("name", "sent", "points"),
    [
        ("tier", '"gold"', 1),
        ("tier", "null", 1),
        ("tier", None, 0),
        ("tags", '["a","b","c"]', 1),
        ("prefs", '{"a":1,"b":{"c":2}}', 2),
        ("prefs", '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":{"g":1,"h":2}}', 7),
        ("prefs", '{"a":[{"x":1},{"x":1,"y":":{"}]}', 3),
        ("prefs", '{"a":"x:y","b":"q\\"r:"}', 2),
        ("prefs", '{"a":["m",":","n"]}', 1),
        ("prefs", '{"a":{"$time":"2020-05-28T10:00:00Z"},"b":"{\\"$time\\":"}', 2),
        ("prefs", '{"$time":"2020-05-28"}', 1),
        ("pets", '[{"id":1,"name":"Rex"}]', 2),
        ("pets", '[{"a":1,"b":2,"c":3,"d":4},{"a":1,"b":2,"c":3,"d":4}]', 8),
        ("pets", '{"$remove":[{"$identifier_key":"id","$identifier_value":"a:b"}]}', 1),
        ("pets", f'{{"$update":[{UPDATE}]}}', 3),
        ("pets", f'{{"$remove":[{REMOVE},{REMOVE}],"$update":[{UPDATE},{UPDATE}]}}', 8),
        ("prefs", '{"a":"{\\"$new_object\\":1}","b":1}', 2),
        ("email_subscribe", '"opted_in"', 0),
        ("push_subscribe", "null", 0),
    ],
)
def test_a_field_costs(name, sent, points):
    """One for what is sent, one for each leaf of an object, nothing for what is not billed."""
    frame = pl.DataFrame({"sent": pl.Series([sent], dtype=pl.String)})
    cost = frame.with_columns(cost=field_points(name, pl.col("sent")))["cost"]
    assert points == cost[0]
    assert pl.UInt32 == cost.dtype
