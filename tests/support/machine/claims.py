"""Which file versions the runs must have claimed, and what each claim has to say."""

from collections import defaultdict


class Claims:
    """
    Judges the claims of the runs, one run after the other.

    Args:
        dropped: By key, the SHA-256 of every version that was put there, in order.
    """

    def __init__(self, dropped):
        self._dropped = dropped
        self._met = defaultdict(list)
        self._fed = {}
        self._contents = set()
        self._untaken = set()
        self._came_with = set()
        self._held = {}

    def take(self, run):
        """Demand that one more run claimed what it had to."""
        document = run.document
        if document.takes_back:
            assert {"undone"} >= {file.outcome for file in document.files}
        elif document.parent in self._held:
            self._approved(run)
        elif document.parent:
            assert {"retried", "discarded"} >= {file.outcome for file in document.files}
            self._given_again(run)
        elif document.hold:
            self._held_back(run)
        else:
            self._new(run)

    def finish(self):
        """Demand that the last version of every key was met, and none of them twice."""
        assert self._dropped.keys() == self._met.keys()
        for key, versions in self._dropped.items():
            assert versions[-1] == self._met[key][-1], key
            left = iter(versions)
            assert all(version in left for version in self._met[key]), key

    def _new(self, run):
        self._came_with = {file.sha256 for file in run.document.files}
        for file in run.document.files:
            again = self._why_it_waits(file)
            if again and run.verb != "force":
                assert ("full", "equal_content") == (run.verb, again), file.key
                assert not file.sums, file.key
            assert not file.replaces
            self._meet(run, file)
            self._feed(run, file)

    def _held_back(self, run):
        self._held[run.seq] = run
        for file in run.document.files:
            why = self._why_it_waits(file)
            if why is None and file.sha256 in self._came_with:
                # Of a file of the same call nobody knew yet that nothing would be taken.
                why = "equal_content"
            assert file.outcome == why, file.key
            assert run.verb != "force"
            untaken = (file.key, file.sha256) in self._untaken
            if not (untaken and self._met[file.key][-1:] == [file.sha256]):  # It is given again.
                self._meet(run, file)
        self._came_with = set()

    def _approved(self, run):
        held = {(file.key, file.sha256) for file in self._held[run.document.parent].document.files}
        for file in run.document.files:
            assert (file.key, file.sha256) in held
            assert file.replaces == (self._why_it_waits(file) == "replaced"), file.key
            self._feed(run, file)

    def _why_it_waits(self, file):
        """Tell why the sums of a version may count twice; None if they cannot."""
        if self._fed.get(file.key, file.sha256) != file.sha256:
            return "replaced"
        return "equal_content" if file.sha256 in self._contents else None

    def _meet(self, run, file):
        """A version is met once, unless it is taken as if new, or by force while it waits."""
        met = self._met[file.key]
        if met and met[-1] == file.sha256:
            assert run.verb in ("full", "force"), f"{file.key} was taken twice"
        else:
            met.append(file.sha256)

    def _given_again(self, run):
        """A version of which nothing was taken counts once rows of it were taken after all."""
        for file in run.document.files:
            version = file.key, file.sha256
            if version in self._untaken and run.fed(file) and not nothing_taken(file):
                self._untaken.discard(version)
                self._fed.setdefault(*version)
                self._contents.add(file.sha256)

    def _feed(self, run, file):
        if nothing_taken(file):
            self._untaken.add((file.key, file.sha256))
        elif run.fed(file):
            self._fed[file.key] = file.sha256
            self._contents.add(file.sha256)


def nothing_taken(file):
    """Tell whether all rows of a file were rejected, so that a copy of it counts as new."""
    return 0 < file.rows <= file.rejected and not file.replaces
