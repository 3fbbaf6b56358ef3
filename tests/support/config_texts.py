"""Texts of configurations, and what reading one gives."""

import pytest

from exchanger.config.loading.load import read_config
from exchanger.config.models import ImportJob
from exchanger.errors import ConfigError

CONNECTION = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme}
"""
ENVIRON = {"KEY": "s3cret-key"}
BRAZE = '{endpoint: iad-01, api_key: "${KEY}"}'
ONE = f"connections: {{main: {{braze: {BRAZE}, s3: {{bucket: acme}}}}}}\n"
TWO = f"""connections:
  eu: {{braze: {BRAZE}, s3: {{bucket: acme}}}}
  us: {{braze: {BRAZE}, s3: {{bucket: acme}}}}
"""
SOURCE = "source: {prefix: in/}, match: [{external_id: id}]"


def import_job(fields="{first_name: set}", extra="", prefix="inbox/"):
    return f"""
jobs:
  crm:
    type: import
    source: {{prefix: {prefix}}}
    match: [{{external_id: id}}]
    fields: {fields}
    {extra}
"""


def export_job(extra="", fields="{email: email}"):
    return f"""
jobs:
  vip:
    type: export
    segment: VIP
    fields: {fields}
    target: {{prefix: out/}}
    {extra}
"""


def read(text, environ=ENVIRON):
    return read_config(text, environ)


def problems(text, environ=ENVIRON):
    with pytest.raises(ConfigError) as caught:
        read_config(text, environ, "x.yaml")
    return {p.path: (p.message, p.guess) for p in caught.value.problems}


def messages(text):
    """What is wrong by its place; nothing if nothing is."""
    try:
        read_config(text, ENVIRON)
    except ConfigError as error:
        return {p.path: p.message for p in error.problems}
    return {}


def field_of(fields):
    job = read(CONNECTION + import_job(fields)).jobs["crm"]
    assert isinstance(job, ImportJob)
    return next(iter(job.fields.values()))
