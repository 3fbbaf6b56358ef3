import os
import shutil

import pytest

from exchanger.config.loading.load import load_config
from exchanger.errors import ConfigError
from exchanger.service.config_file import ConfigFile

GOOD = """
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme-exchange, region: eu-west-1}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "exchanger.yaml"
    path.write_text(GOOD)
    made = ConfigFile(path, {"KEY": "dummy"})
    yield made
    made.close()


def test_the_copy_is_what_was_accepted_last(file):
    """A broken edit is refused with the path of the real file, and the copy stays."""
    file.accept()
    file.path.write_text(GOOD + "jobz: {}\n")

    with pytest.raises(ConfigError) as caught:
        file.accept()

    assert str(file.path) == caught.value.source
    assert [problem.path for problem in caught.value.problems] == ["jobz"]
    assert file.copy().read_text() == GOOD


def test_a_copy_that_was_cleaned_away_is_made_again(file):
    """A cleaner of temporary folders does not break the runs of a daemon that lives for weeks."""
    file.accept()
    shutil.rmtree(file.copy().parent)

    assert file.copy().read_text() == GOOD
    assert file.copy().parent.stat().st_mode & 0o777 == 0o700


def test_a_change_is_taken_when_it_stands_still(file):
    """Content counts once it is the same at two looks, though time and size may not tell."""
    file.accept()
    before = file.path.stat()
    looks = [file.has_changed()]
    file.path.write_text(GOOD.replace("iad-01", "iad-02"))
    os.utime(file.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    looks.append(file.has_changed())
    file.path.write_text(GOOD.replace("iad-01", "iad-03"))
    looks += [file.has_changed(), file.has_changed()]
    file.accept()
    looks.append(file.has_changed())

    assert looks == [False, False, False, True, False]


def test_a_refused_change_is_not_tried_again_until_it_changes(file):
    """One broken edit is told once, and the way back to the old content is a change as well."""
    file.accept()
    looks = []
    for content in ("broken", "broken", GOOD, GOOD):
        file.path.write_text(content)
        looks.append(file.has_changed())
        if looks[-1]:
            try:
                file.accept()
            except ConfigError:
                looks[-1] = "refused"

    assert looks == [False, "refused", False, True]


def test_a_file_that_is_gone_is_a_problem_to_tell_once(file):
    """A vanished file is refused like a broken one."""
    file.accept()
    file.path.unlink()

    assert [file.has_changed(), file.has_changed()] == [False, True]
    with pytest.raises(ConfigError, match="cannot be read"):
        file.accept()
    assert not file.has_changed()


def test_closing_removes_the_copies(file):
    """Nothing of the configuration stays in the temporary folder."""
    file.accept()
    folder = file.copy().parent
    file.close()

    assert not folder.exists()


JOB = """
  {name}:
    type: import
    schedule: {{cron: "*/15 * * * *"}}
    source: {{prefix: in/{name}/}}
    match:
      - external_id: id
    fields:
      a: set   # jobs: and {name}: mean nothing here
      "quoted: key": clear
"""
EXPORT = (
    "  {0}: {{type: export, segment: S, fields: {{a: email}},"
    " target: {{prefix: 'out/{0}'}}, schedule: {1}}}\n"
)
ODD = """
  odd:
    type: import
    source: {{prefix: in/odd/, nulls: ["{0}"]}}
    match: {{external_id: id}}
    fields: {{a: set}}
"""
NAMES = [f"job{number}" for number in range(9)]


def many(form=JOB, extra="", before=GOOD):
    return f"{before}jobs:\n" + "".join(form.format(name=name) for name in NAMES) + extra


@pytest.mark.parametrize(
    "text",
    [
        many(extra=EXPORT.format("job9", "{every: 5m}").replace("job9:", '"job9":')),
        many(extra=JOB.format(name="last") + "# The end.\n"),
        many(extra=JOB.format(name="last"), before="\ufeff# First line.\n" + GOOD),
        "jobs:\n" + "".join(JOB.format(name=f"j{n}") for n in range(10)) + GOOD,
        GOOD + "jobs: {\n" + ",\n".join(
            EXPORT.format(f"job{number}", "{every: 5m}").strip() for number in range(10)) + "}\n",
        many(extra=EXPORT.format("anchored", "&often {every: 5m}")
             + EXPORT.format("alias", "*often")),
        many(extra="""
  note:
    type: import
    description: |
        jobs:
        job3: not a job
    source: {prefix: in/note}
    match: {external_id: id}
    fields: {a: set}
"""),
    ],
)  # fmt: skip
def test_a_run_of_one_of_many_jobs_reads_its_part_of_the_file(file, text):
    """The part says of the job, and of the connections, what the entire file says."""
    file.path.write_text(text, encoding="utf-8")
    config = file.accept()

    for name in config.jobs:
        part = file.copy_for(name)
        read = load_config(part, {"KEY": "dummy"})
        assert ([name], config.jobs[name]) == (list(read.jobs), read.jobs[name])
        assert config.connections == read.connections
        assert len(part.read_bytes()) < len(text) / 2


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "jobs:\n" + EXPORT.format("only", "{every: 5m}"),
        many(extra=ODD.format(r"\x7f")),
    ],
)  # fmt: skip
def test_where_a_part_would_say_something_else_the_whole_file_is_read(file, text):
    """Few jobs, or a sign that JSON and YAML read in two ways: the run gets the file as it is."""
    file.path.write_text(text, encoding="utf-8")
    last = list(file.accept().jobs)[-1]

    assert text == file.copy_for(last).read_text()


def test_a_part_of_the_file_has_whoever_reads_the_same_folder(file):
    """Otherwise a run would take the files of the other job for files that nobody takes."""
    within = JOB.format(name="within").replace("in/within/", "in/job3/day/")
    within = within.replace(" a:", " b:").replace("quoted", "other")
    file.path.write_text(many(extra=within), encoding="utf-8")
    config = file.accept()

    read = load_config(file.copy_for("job3"), {"KEY": "dummy"})
    assert {name: config.jobs[name] for name in ("job3", "within")} == read.jobs
    assert ["job4"] == list(load_config(file.copy_for("job4"), {"KEY": "dummy"}).jobs)


def test_a_part_of_the_file_has_the_keys_of_every_cohort(file):
    """Whoever runs next ends a run that is under way, of whichever job of the connection."""
    cohort = """
  vip:
    type: import
    object: audience
    source: {prefix: people/, mode: snapshot}
    match: {external_id: id}
    audience:
      as: {cohort: {id: vip, name: V, partner: p, client_secret: "${KEY}", partner_key: "${KEY}"}}
"""
    file.path.write_text(many(extra=cohort), encoding="utf-8")
    config = file.accept()

    read = load_config(file.copy_for("job3"), {"KEY": "dummy"})
    assert {name: config.jobs[name] for name in ("job3", "vip")} == read.jobs


@pytest.mark.parametrize(
    "sign",
    [
        r"\x7f",
        r"\x85",
        r"\u2028",
        r"\ufeff",
        r"\U0001F600",
        r"\0",
        r"\t",
        r"\\",
        r"\"",
        r"\/",
        "\u00e9",
    ],
)
def test_an_odd_sign_is_the_same_in_a_part_of_the_file(file, sign):
    """Whatever a text holds, a run reads the job that was accepted."""
    file.path.write_text(many(extra=ODD.format(sign)), encoding="utf-8")
    config = file.accept()

    read = load_config(file.copy_for("odd"), {"KEY": "dummy"})
    assert config.jobs["odd"] == read.jobs["odd"]


def test_a_part_for_one_job_keeps_who_is_told_and_in_which_place(file):
    """A run of few of many jobs names channels as the whole file does, also those of others."""
    jobs = "".join(
        f"  job{n}: {{type: import, source: {{prefix: in{n}/}}, match: {{external_id: id}},"
        f" fields: {{f{n}: set}}}}\n"
        for n in range(12)
    )
    told = (
        'notifications: [{url: "json://a", jobs: [job1]}, {url: "json://b", jobs: [job2, job3]},'
        ' {url: "json://c"}]\n'
    )
    file.path.write_text(f"{GOOD}{told}jobs:\n{jobs}")
    whole = file.accept()
    part = load_config(file.copy_for("job3"), {"KEY": "dummy"})
    assert ["job3"] == [*part.jobs]
    assert [False, True, True] == [one.hears_of("job3") for one in part.notifications]
    urls = [one.url for one in whole.notifications]
    assert urls == [one.url for one in part.notifications]
