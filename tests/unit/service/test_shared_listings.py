"""Which folders are found in one listing of their parent, and that nothing is lost by it."""

from array import array
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exchanger.errors import StorageDenied, StorageUnreachable
from exchanger.service.looking.shared_listings import TRUSTED, SharedListings


class Store:
    """A bucket that counts listings, a page of which has so many objects."""

    def __init__(self, page=10):
        self.objects = {}
        self.page = page
        self.listed = []
        self.trouble = {}
        self._versions = count(1)

    def write(self, *keys):
        for key in keys:
            self.objects[key] = next(self._versions)

    def since(self, known, prefix):
        return self.since_within(10_000, known, prefix)[:2]

    def since_within(self, pages, known, prefix):
        there = [
            (key, mark) for key, mark in sorted(self.objects.items()) if key.startswith(prefix)
        ]
        needed = max(1, -(-len(there) // self.page))
        self.listed += [prefix] * min(pages, needed)
        if prefix in self.trouble:
            raise self.trouble[prefix]
        if needed > pages:
            return None
        new = [key for key, mark in there if known is not None and mark not in known]
        return array("q", [mark for _, mark in there]), new, needed

    def pages(self, prefix):
        return max(1, -(-sum(key.startswith(prefix) for key in self.objects) // self.page))

    def requests(self):
        """Return what was listed since this was asked the last time."""
        listed, self.listed = self.listed, []
        return listed


def folders_of(number, parent="in/"):
    return [f"{parent}{each:03d}/" for each in range(number)]


def looked(listings, folders):
    news = listings.look(folders)
    return news.first, news.keys


def denied(folder):
    return StorageDenied("list", "bucket", folder, "AccessDenied: no")


def test_folders_beside_each_other_are_found_in_one_listing():
    """Also the first time; and those that did not ask are told of what is new, once."""
    store, folders = Store(), folders_of(100)
    listings = SharedListings(store, folders)
    store.write("in/007/old.csv")

    assert ({*folders}, {}) == looked(listings, folders)
    store.write("in/007/new.csv", "in/other/x.csv", "in/099/a.csv")
    assert {"in/007/": ["in/007/new.csv"], "in/099/": ["in/099/a.csv"]} == listings.look(
        folders[:10]
    ).keys
    assert (set(), {}) == looked(listings, folders)
    assert ["in/"] * 3 == store.requests()


def test_one_folder_is_listed_by_itself_and_nothing_is_new_by_that():
    """What is known of a folder serves in a listing of its own, and back in one of the parent."""
    store, folders = Store(), folders_of(4)
    listings = SharedListings(store, folders)
    store.write("in/000/a.csv", "in/003/a.csv")
    listings.look(folders)
    store.write("in/000/b.csv", "in/003/b.csv")

    assert {"in/000/": ["in/000/b.csv"]} == listings.look(folders[:1]).keys
    assert {"in/003/": ["in/003/b.csv"]} == listings.look(folders).keys
    assert ["in/", "in/000/", "in/"] == store.requests()


def test_a_folder_that_nobody_looked_into_is_told_as_such_and_not_as_full_of_news():
    """Runs would be started for files that were applied long ago."""
    store, folders = Store(), folders_of(4)
    listings = SharedListings(store, folders)
    store.write("in/000/a.csv", "in/001/a.csv")
    listings.look(folders[:1])

    assert ({*folders[1:]}, {}) == looked(listings, folders)


def test_a_parent_with_much_else_in_it_is_given_up_at_half_of_what_its_folders_cost():
    """And left alone for a thousand looks; when that went away, it is listed again."""
    store, folders = Store(page=1), folders_of(20)
    listings = SharedListings(store, folders)
    others = [f"in/archive/{each:04d}" for each in range(11)]
    store.write(*others)

    listings.look(folders)
    assert [*["in/"] * 10, *folders] == store.requests()
    for _ in range(TRUSTED - 1):
        listings.look(folders)
    assert "in/" not in store.requests()
    for each in others:
        del store.objects[each]
    listings.look(folders)
    store.write("in/003/a.csv")
    assert {"in/003/": ["in/003/a.csv"]} == listings.look(folders).keys
    assert ["in/"] * 2 == store.requests()


def test_a_parent_is_listed_only_where_enough_folders_are_asked_for():
    """What it took is known, so that few folders do not find out anew at each look."""
    store, folders = Store(), folders_of(20)
    listings = SharedListings(store, folders)
    store.write(*(f"in/archive/{each:04d}" for each in range(45)))

    for asked in (folders, folders[:9], folders[:10], folders):
        listings.look(asked)

    together = ["in/"] * 5
    assert [*together, *folders[:9], *together, *together] == store.requests()


def test_below_a_parent_that_is_too_full_smaller_ones_are_listed():
    """The bucket as a whole is never listed."""
    store = Store()
    eu, us = folders_of(5, "in/eu/"), folders_of(5, "in/us/")
    listings = SharedListings(store, [*eu, *us, "crm/", "shop/"])
    store.write(*(f"in/zzz/{each:04d}" for each in range(100)))

    listings.look([*eu, *us, "crm/", "shop/"])
    store.requests()
    listings.look([*eu, *us, "crm/", "shop/"])

    assert ["crm/", "in/eu/", "in/us/", "shop/"] == store.requests()


def test_a_parent_that_may_not_be_listed_is_asked_for_once_and_told_once():
    """Keys are often allowed to list no more than the folders that they are for."""
    store, folders = Store(), folders_of(4)
    store.trouble["in/"] = denied("in/")
    listings = SharedListings(store, folders)

    with capture_logs() as logs:
        for _ in range(3):
            listings.look(folders)
        first = store.requests()
        for _ in range(TRUSTED):
            listings.look(folders)

    assert ["in/", *folders * 3] == first
    assert [("parent.not_listed", "in/")] == [(log["event"], log["folder"]) for log in logs]
    assert 1 == store.requests().count("in/")


def test_while_nothing_can_be_listed_nothing_is_learnt_of_the_parent():
    """A look fails as ever, and the parent is listed when S3 is back."""
    store, folders = Store(), folders_of(4)
    listings = SharedListings(store, folders)
    for each in ("in/", *folders):
        store.trouble[each] = StorageUnreachable("list", "bucket", each, "timed out")
    with pytest.raises(StorageUnreachable):
        listings.look(folders)
    store.trouble.clear()
    store.requests()

    listings.look(folders)

    assert ["in/"] == store.requests()


def test_a_folder_within_another_one_is_listed_by_itself():
    """A file in both is news to both, whenever each is asked for."""
    store = Store()
    folders = ["in/", "in/a/", "in/b/", "up/a/", "up/b/"]
    listings = SharedListings(store, folders)
    listings.look(folders)
    store.requests()
    store.write("in/a/x.csv")

    assert {"in/a/": ["in/a/x.csv"]} == listings.look(["in/a/", "up/a/"]).keys
    assert {"in/": ["in/a/x.csv"]} == listings.look(folders).keys
    assert ["in/a/", "up/a/", "in/", "in/a/", "in/b/", "up/"] == store.requests()


FOLDERS = [*folders_of(3), *folders_of(3, "in/eu/"), "in/us", "crm/", "in/000/sub/", "up/x/y/"]
ELSEWHERE = ["in/", "in/001", "in/archive/", "crm"]
LOOK = st.sampled_from([FOLDERS, FOLDERS[:6]]) | st.sets(st.sampled_from(FOLDERS), min_size=1)
ACTS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(FOLDERS), st.integers(0, 3)),
    st.tuples(st.just("write"), st.sampled_from(FOLDERS + ELSEWHERE), st.integers(0, 3)),
    st.tuples(st.just("fill"), st.sampled_from(["in/archive/", "in/eu/else/"]), st.integers(1, 3)),
    st.tuples(st.just("delete"), st.sampled_from(FOLDERS), st.integers(0, 3)),
    st.tuples(st.just("deny"), st.sampled_from(["in/", "in/eu/"]), st.booleans()),
    st.tuples(st.just("look"), LOOK, st.none()),
    st.tuples(st.just("look"), LOOK, st.none()),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(ACTS, min_size=20, max_size=60), st.integers(1, 12))
def test_each_object_is_told_once_by_the_next_look_into_its_folder(acts, page):
    """
    Whatever is listed in place of what: a folder is told as new if something came, and only then.

    And what is found out about parents costs no more than a request for each folder.
    """
    store = Store(page)
    listings = SharedListings(store, FOLDERS)
    seen = {}

    def came(folder):
        mine = {(k, v) for k, v in store.objects.items() if k.startswith(folder)}
        return sorted(key for key, _ in mine - seen[folder])

    for act, what, more in acts:
        if act == "write":
            store.write(f"{what}{more}.csv")
        elif act == "fill":
            store.write(*(f"{what}{more}{each}" for each in range(page)))
        elif act == "delete":
            store.objects.pop(f"{what}{more}.csv", None)
        elif act == "deny":
            store.trouble = {what: denied(what)} if more else {}
        else:
            store.requests()
            news = listings.look(what)
            assert len(store.requests()) <= len(what) + sum(map(store.pages, what))
            assert news.first >= {*what} - seen.keys()
            assert not news.first & (seen.keys() | news.keys.keys())
            for folder in seen:
                told = news.keys.get(folder, [])
                assert told in ([], came(folder))
                assert folder not in what or told == came(folder)
            for folder in {*news.first, *news.keys, *what}:
                seen[folder] = {(k, v) for k, v in store.objects.items() if k.startswith(folder)}
