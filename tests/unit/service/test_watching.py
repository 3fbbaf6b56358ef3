import json
import queue

import pytest

from exchanger.config.loading.load import read_config
from exchanger.files.notices import Object
from exchanger.service.looking.folder_scanner import ScanResult
from exchanger.service.looking.notices import Notice, _audiences, shared
from exchanger.service.looking.watching import Backlog, Watching, read_waiting

CONFIG = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme-exchange, region: eu-west-1, endpoint_url: "http://127.0.0.1:9",
         access_key_id: "${KEY}", secret_access_key: "${KEY}"}
jobs:
"""


def config(*jobs):
    text = CONFIG + "".join(
        f"  {name}: {{type: import, schedule: {{every: 5m}}, source: {{prefix: in/{name}}},"
        " match: [{external_id: id}], fields: {a: set}}\n"
        for name in jobs
    )
    return read_config(text, {"KEY": "dummy"})


class Scene:
    """A watching whose looks end in a queue, and what it asked for."""

    def __init__(self):
        self.looks = queue.SimpleQueue()
        self.questions = []
        self.turns = {}
        self.watching = Watching(
            lambda watch, seen: self.looks.put((watch, seen)), self._question, self.turns.update
        )

    def _question(self, watch):
        self.questions.append(watch.name)
        return True

    def begin(self):
        """Begin the look that is due, without waiting for its time."""
        for watch in self.watching._watches.values():
            watch.arrivals._next_look = 0.0
        self.watching.begin_looks()

    def end(self):
        """Wait for the look and let it be judged."""
        self.watching.looked(*self.looks.get(timeout=60))

    def end_well(self):
        """Wait for the look, and let one be judged that saw nothing new."""
        watch, _ = self.looks.get(timeout=60)
        self.watching.looked(watch, ScanResult())


@pytest.fixture
def scene():
    return Scene()


def test_exports_are_not_watched(scene):
    """What has no folder to look into is none of its business."""
    scene.watching.configure(config("crm"))

    assert (True, False) == (scene.watching.due("crm", "x"), scene.watching.due("export", "x"))


@pytest.mark.parametrize("foreseen", [True, False])
def test_a_look_that_fails_starts_the_runs(scene, foreseen):
    """Nobody can tell, so all that is due runs and tells in its report what is wrong."""
    scene.watching.configure(config("a", "b", "c"))
    if not foreseen:
        scene.watching._watches["main"].lookout._jobs = {}
    for job in ("a", "b", "c"):
        scene.watching.due(job, "schedule")
    scene.begin()
    scene.end()

    assert ({"a": "schedule", "b": "schedule", "c": "schedule"}, []) == (
        scene.turns,
        scene.questions,
    )


def test_a_reload_during_a_look_forgets_nobody(scene):
    """The answer to a look under the old configuration counts for nothing; the job stays due."""
    scene.watching.configure(config("a", "b"))
    scene.watching.due("a", "missed")
    scene.begin()
    scene.watching.configure(config("a", "c"))
    scene.end()
    assert {} == scene.turns

    scene.begin()
    scene.end()

    assert {"a": "missed"} == scene.turns


def test_a_reload_that_changes_nothing_keeps_what_is_known(scene):
    """The same jobs of the same connection are the same watch."""
    scene.watching.configure(config("a"))
    before = scene.watching._watches["main"]
    scene.watching.configure(config("a"))

    assert before is scene.watching._watches["main"]


def test_runs_and_answers_tell_beside_which_folders_to_look(scene):
    """A run says so of its job, and an answer of all: but of jobs whose runs have ended since."""
    scene.watching.configure(config("a", "b", "c", "d"))
    watch = scene.watching._watches["main"]
    for job in ("a", "b"):
        scene.watching.ended(job, nothing_left=True, awaits=True)
    scene.watching.ended("b", nothing_left=False, awaits=None)
    assert {"a", "b"} == watch.awaiting

    for job in ("a", "c", "d"):
        scene.watching.due(job, "x")
    watch.arrivals.forget()
    scene.begin()
    scene.end_well()
    assert ["main"] == scene.questions
    scene.watching.ended("b", nothing_left=True, awaits=False)
    scene.watching.answered(watch, Backlog([], frozenset({"b", "c"})))
    assert {"c"} == watch.awaiting

    scene.watching.answered(watch, None)
    scene.watching.configure(config("c", "e"))
    assert {"c"} == scene.watching._watches["main"].awaiting


def notice(done, *jobs):
    return Notice(frozenset(jobs), lambda: done.append(jobs))


def test_corrected_rows_of_a_notice_are_looked_for_by_the_next_look(scene):
    """A look that was under way may have been beside the folder already."""
    scene.watching.configure(config("a"))
    watch = scene.watching._watches["main"]
    scene.watching.due("a", "schedule")
    scene.begin()
    scene.watching.noticed(Notice(frozenset({"a"}), lambda: None, frozenset({"a"})))
    assert frozenset() == watch.notices.corrected
    scene.end_well()
    scene.begin()
    assert {"a"} == watch.notices.corrected
    scene.end_well()
    scene.watching.due("a", "schedule")
    scene.begin()
    assert frozenset() == watch.notices.corrected


def test_messages_are_done_with_once_a_look_that_began_later_is_over(scene):
    """A look that was under way when they came has not seen their files."""
    done = []
    scene.watching.configure(config("a"))
    scene.watching.due("a", "schedule")
    scene.begin()
    scene.watching.noticed(notice(done, "a"))
    scene.end_well()
    assert [] == done
    scene.begin()
    scene.end_well()
    assert [("a",)] == done


def test_messages_stay_if_the_look_fails_or_the_job_is_gone(scene):
    """They come again by themselves."""
    done = []
    scene.watching.configure(config("a"))
    scene.watching.noticed(notice(done, "a", "gone"))
    scene.watching.noticed(notice(done, "gone"))
    scene.begin()
    watch, _ = scene.looks.get(timeout=60)
    scene.watching.looked(watch, None)
    assert [] == done
    assert {"a": "notice"} == scene.turns


def test_a_notice_for_several_connections_is_done_with_by_the_last():
    """Each of them looks by itself."""
    done = []
    parts = shared(lambda: done.append("all"), ["one", "two"])
    parts["one"]()
    parts["one"]()
    assert [] == done
    parts["two"]()
    assert ["all"] == done


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("[]", []),
        ('[{"job": "a", "files_waiting": 2, "unfinished": false}]', ["a"]),
        ('[{"job": "a", "files_waiting": 0, "unfinished": true}]', ["a"]),
        ('[{"job": "a", "files_waiting": 0, "files_settling": 1}]', ["a"]),
        ('[{"job": "a", "files_waiting": 0, "unfinished": false}, {"job": "export"}]', []),
    ],
)
def test_the_answer_names_the_jobs_with_something_to_do(output, expected):
    """Files that wait are a reason, and so is a run that was interrupted."""
    assert Backlog(expected) == read_waiting(output)


def test_the_answer_names_the_jobs_whose_rejected_rows_wait_to_be_corrected():
    """Beside the folders of these it is worth looking."""
    told = [{"job": "a", "awaits_corrections": True}, {"job": "b", "awaits_corrections": False}]

    assert Backlog([], frozenset({"a"})) == read_waiting(json.dumps(told))


@pytest.mark.parametrize("output", ["", "no JSON", "7", '["a"]', '[{"files_waiting": 1}]'])
def test_an_answer_that_is_none_is_told(output):
    """A process that died, or printed something else, said nothing."""
    with pytest.raises(ValueError, match=r"\w"):
        read_waiting(output)


def test_a_notice_says_of_which_jobs_it_is_about_corrected_rows():
    """These are looked for beside the folder, whatever is known of it."""
    queue_of = ", notices: {sqs: 'https://sqs.eu-west-1.amazonaws.com/1/drops'}}, match"
    text = CONFIG + "".join(
        f"  {name}: {{type: import, schedule: {{every: 5m}}, source: {{prefix: in/{name}}},"
        " match: [{external_id: id}], fields: {a: set}}\n".replace("}, match", queue_of)
        for name in ("a", "b")
    )
    [audience] = _audiences(read_config(text, {"KEY": "dummy"}))

    def about(*keys):
        return audience.jobs_of([Object("acme-exchange", key) for key in keys])

    a, b = frozenset({"a"}), frozenset({"b"})
    assert (a | b, b) == about("in/a/x.csv", "in/b_corrected/3/x.csv")
    assert (frozenset(), frozenset()) == about("in/c_corrected/3/x.csv")
