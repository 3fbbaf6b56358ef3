"""What pages point to is there: files, headings, modules."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
ABOUT_CODE = ("CONTRIBUTING", "architecture", "performance", "scaling", "state")
PRODUCT = ROOT / "exchanger"
PLACES = [PRODUCT, ROOT / "scripts", ROOT / "tests", ROOT]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _text(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _anchors(page):
    """Name the place of each heading, as GitHub does."""
    headings = re.findall(r"^#+ (.*)$", _text(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    """No link of a page leads nowhere: to a file that has moved, a heading that was renamed."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _text(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (heading and heading not in _anchors(target)):
            broken.append(link)
    assert [] == broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_two_headings_of_one_address(page):
    """A link to a heading leads to that very one."""
    anchors = _anchors(page)
    assert sorted(set(anchors)) == sorted(anchors)


def test_every_page_is_reached_from_the_readme():
    """Whoever begins with the README finds every page."""
    links = re.findall(r"\]\((?:docs/)?(\w[\w-]*\.md)", _text(ROOT / "README.md"))
    assert {page.name for page in PAGES} - {"README.md"} == set(links)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem in ABOUT_CODE], ids=lambda page: page.name
)
def test_every_module_that_a_page_names_exists(page):
    """No page leads a contributor to a file, a folder or a name that has moved."""
    known = {path.name for place in PLACES for path in place.rglob("*.py")}
    text = _text(page)
    paths = re.findall(r"`([a-z0-9_/]+\.py|[a-z0-9_]+/[a-z0-9_/]+/)(?:: \w+)?`", text)
    missing = [
        path
        for path in paths
        if not any((place / path).exists() for place in PLACES)
        and ("/" in path or path not in known)
    ]
    rooms = "|".join(path.name for path in PRODUCT.iterdir() if path.is_dir())
    for path in re.findall(rf"`((?:{rooms})(?:\.[a-z_0-9]+)+)`", text):
        at, steps = PRODUCT, path.split(".")
        while steps and (at / steps[0]).is_dir():
            at /= steps.pop(0)
        name = steps[1] if len(steps) > 1 else ""
        module = at / f"{steps[0]}.py" if steps else at / "__init__.py"
        if not module.exists() or name not in module.read_text(encoding="utf-8"):
            missing.append(path)
    assert [] == missing
