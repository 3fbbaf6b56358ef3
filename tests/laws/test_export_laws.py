"""Law 8: no manifest, no export. Whoever looks for the manifest never meets half a dataset."""

from __future__ import annotations

from itertools import count

import pytest
from support import export_places as runs

from exchanger.outside.s3.bucket import Bucket

place = runs.place
TARGET = "exports/all/"


def published(place):
    """Read every dataset as readers find it; each must be whole."""
    keys = place.keys(TARGET)
    pointed = [place.document(key)["manifest"] for key in keys if key.endswith("latest.json")]
    marked = [key.replace("_SUCCESS", "manifest.json") for key in keys if key.endswith("_SUCCESS")]
    for manifest in (*pointed, *marked):
        assert manifest in keys
    manifests = [key for key in keys if key.endswith("manifest.json")]
    for manifest in manifests:
        assert len(runs.PEOPLE) == place.frame(manifest).height
    return manifests


@pytest.mark.long(10)
def test_dying_at_any_write_leaves_whole_datasets_and_litter_that_goes(place, monkeypatch):
    """
    A run dies before its n-th write, for every n: what has a manifest is whole, and is all there.

    The next run that ends leaves no folder without a manifest.
    """
    writing = {name: getattr(Bucket, name) for name in ("write", "upload")}
    for nth in count():
        left = iter(range(nth))

        def dying(name, left=left):
            def write(self, *arguments, **options):
                if next(left, None) is None:
                    raise runs.Killed
                return writing[name](self, *arguments, **options)

            return write

        with monkeypatch.context() as patch:
            for name in writing:
                patch.setattr(Bucket, name, dying(name))
            try:
                place.run()
            except runs.Killed:
                published(place)
            else:
                break
    assert nth > 5

    last = place.run()
    manifests = published(place)
    assert last.manifest in manifests
    with_parts = {key.rpartition("/")[0] for key in place.keys(f"{TARGET}run=")}
    assert with_parts == {manifest.rpartition("/")[0] for manifest in manifests}
