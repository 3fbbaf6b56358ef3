"""Under which name exchanger is installed: ours, not that of a stranger."""

import re
import subprocess
import sys
from pathlib import Path

from exchanger.app.messages.errors import words_for
from exchanger.app.messages.words import how_to_install
from exchanger.errors import EngineMissing

HOME = Path(__file__).parents[3]
STRANGER = re.compile(r"pip install\s+(--\S+\s+)*['\"]?exchanger\b")


def test_the_distribution_has_a_name_of_its_own():
    """Whoever installs what is named here gets us, under the command that they know."""
    asked = [sys.executable, "setup.py", "--name", "--version"]
    told = subprocess.run(asked, cwd=HOME, check=True, capture_output=True, text=True).stdout
    assert "braze-s3-exchanger" == told.split()[0]


def test_nobody_is_told_to_install_a_stranger():
    """No page and no message names the program of that name that a package index has."""
    places = [HOME / "README.md", HOME / "CONTRIBUTING.md", *(HOME / "docs").glob("*.md")]
    places += [*(HOME / "exchanger").rglob("*.py"), *(HOME / "scripts").glob("*[!.]")]
    texts = {str(path): path.read_text(errors="replace") for path in places if path.is_file()}
    assert [] == [path for path, text in texts.items() if STRANGER.search(text)]


def test_hints_say_what_to_type():
    """They hold in a checkout and with a wheel."""
    hint = how_to_install("dask")
    assert "'.[dask]'" in hint
    assert "whl[dask]" in hint
    assert hint == words_for(EngineMissing("tcp://x:1", "no module")).next


def test_the_readme_installs_what_its_next_line_needs():
    """The first session starts the sandbox, which is an extra."""
    text = (HOME / "README.md").read_text()
    install, _, session = text.partition("## Install")[2].partition("## A first session")
    assert "exchanger sandbox" in session
    assert re.search(r"pip install .*'\.\[sandbox\]'", install)
