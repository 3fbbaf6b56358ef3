"""What Braze says of external ids that it could not rename, or not remove."""

from __future__ import annotations

import json

import pytest

from exchanger.outside.braze.answers import Answer, read_track


@pytest.mark.parametrize("errors", ["rename_errors", "removal_errors"])
def test_errors_by_place_are_refusals_of_single_objects(errors):
    """Each is a position in the request, and a reason; the others were taken."""
    body = {"message": "success", errors: [[1, "new_external_id is already in use"]]}
    said = read_track(Answer(201, {}, json.dumps(body).encode()), "external_id_renames")
    assert said is not None
    assert (True, {1: "new_external_id is already in use"}) == (said.accepted, said.refused)
