"""Where stories are told: one connection, in one piece, and by night also in pieces."""

import pytest
from structlog.testing import capture_logs
from support.machine.scene import AHEAD, LARGE, SMALL, Scene


@pytest.fixture(params=["in one piece", pytest.param("in pieces", marks=pytest.mark.nightly)])
def scene(request):
    """Nothing has happened yet."""
    with capture_logs():
        scene = Scene()
        scene.bounds = SMALL if request.param == "in pieces" else LARGE
        scene.ahead_from = AHEAD if request.param == "in pieces" else scene.ahead_from
        yield scene
        scene.close()
