"""What the daemon does: it starts what is due, and leaves running what runs."""

import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta

import pytest
from support.running_daemon import RunningDaemon


@pytest.fixture
def daemon(tmp_path):
    running = RunningDaemon(tmp_path)
    running.last_starts()
    yield running
    if running.process:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        running.process.stdout.close()
        running.process.stderr.close()
    for event in running.events:
        if event["event"] == "run.started":
            _kill_group(event["pid"])


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


DAILY = "schedule: {every: 1d}"


def test_a_due_job_runs_as_a_child_and_its_report_becomes_one_event(daemon):
    """The daemon starts what is due, passes standard error on and tells how the run ended."""
    daemon.configure(tick="schedule: {every: 1s}")
    daemon.deed("tick", "finish")
    daemon.start()

    started = daemon.until("run.started", job="tick")
    finished = daemon.until("run.finished", job="tick")

    assert started["why"] == "schedule"
    assert f"run-{started['pid']}" == finished["run_id"]
    assert (finished["state"], finished["exit_code"], finished["rows_read"], finished["level"]) == (
        "succeeded",
        0,
        7,
        "info",
    )
    assert "child tick reads # first" in daemon.said


def test_what_was_missed_runs_once_at_start_and_only_that(daemon):
    """A schedule that passed between the last start and now runs once; others wait their turn."""
    daemon.configure(
        late=DAILY, punctual=DAILY, never=DAILY, off=f"{DAILY}, enabled: false", manual="labels: []"
    )
    for job in ("late", "punctual", "never", "off", "manual"):
        daemon.deed(job, "finish")
    daemon.last_starts(late=50, punctual=23, off=50, manual=50)

    started = daemon.start()
    missed = daemon.until("schedule.missed")
    daemon.until("run.finished", job="late")
    daemon.tell(signal.SIGTERM)
    code, _ = daemon.end()

    assert {"late", "never", "punctual"} == started["next"].keys()
    assert timedelta(days=1) == datetime.fromisoformat(missed["due"]) - datetime.fromisoformat(
        missed["last"]
    )
    assert code == 0
    assert (daemon.count("schedule.missed"), daemon.count("run.started")) == (1, 1)


def test_a_failing_question_about_the_past_leaves_the_schedule_running(daemon):
    """When nobody can tell what was missed, the daemon says so and runs what is due."""
    daemon.configure(tick="schedule: {every: 1s}")
    daemon.deed("tick", "finish")
    (daemon.control / "runs-main.json").unlink()
    daemon.start()

    unknown, finished = daemon.until_all(
        {"event": "schedule.unknown"}, {"event": "run.finished", "job": "tick"}
    )

    assert (unknown["exit_code"], finished["exit_code"]) == (1, 0)


def test_a_connection_that_does_not_answer_costs_the_others_nothing(daemon):
    """What the jobs of another connection missed is caught up all the same."""
    daemon.configure(ours=f"connection: shop, {DAILY}", theirs=DAILY)
    daemon.deed("ours", "finish")
    daemon.last_starts("shop", ours=50)
    (daemon.control / "runs-main.json").write_text(
        json.dumps({"error": {"message": "There is no bucket"}, "runs": []})
    )
    daemon.start()

    unknown, _ = daemon.until_all(
        {"event": "schedule.unknown"}, {"event": "run.finished", "job": "ours"}
    )

    assert ("main", "There is no bucket") == (unknown["connection"], unknown["error"])
    assert (1, 0) == (
        daemon.count("schedule.missed", job="ours"),
        daemon.count("run.started", job="theirs"),
    )


def test_runs_of_a_job_never_overlap_and_one_is_remembered(daemon):
    """Due three times while it runs, a job runs once more when the run ends, not three times."""
    daemon.configure(slow="schedule: {every: 1s}")
    daemon.deed("slow", "hold")
    daemon.start()
    daemon.until("run.started")
    for _ in range(3):
        daemon.until("run.coalesced", job="slow")
    assert daemon.count("run.started") == 1

    daemon.configure(slow=DAILY)
    daemon.tell(signal.SIGHUP)
    daemon.until("config.reloaded")
    daemon.release("slow")
    ended = daemon.until("run.finished")
    again = daemon.until("run.started")
    daemon.release("slow")
    daemon.until("run.finished", pid=again["pid"])
    daemon.tell(signal.SIGTERM)
    daemon.end()

    assert (ended["state"], again["why"], daemon.count("run.started")) == ("succeeded", "waited", 2)


def test_at_most_four_runs_at_a_time(daemon):
    """The fifth job waits until a place is free."""
    jobs = [f"job{number}" for number in range(5)]
    daemon.configure(**dict.fromkeys(jobs, DAILY))
    for job in jobs:
        daemon.deed(job, "hold")
    daemon.last_starts(**dict.fromkeys(jobs, 50))
    daemon.start()

    waiting = daemon.until("run.waiting")
    assert daemon.count("run.started") == 4
    daemon.release(waiting["running"][0])
    daemon.until("run.finished", job=waiting["running"][0])

    assert daemon.until("run.started", job=waiting["job"])["why"] == "waited"


@pytest.mark.parametrize(("deed", "exit_code"), [("crash", -signal.SIGKILL), ("babble", 1)])
def test_a_crash_costs_one_run(daemon, deed, exit_code):
    """A child that dies, or prints no report, is told as an error, and the job runs again."""
    daemon.configure(tick="schedule: {every: 1s}")
    daemon.deed("tick", deed)
    daemon.start()
    crashed = daemon.until("run.finished")
    daemon.deed("tick", "finish")

    daemon.until("run.finished", state="succeeded")

    assert (exit_code, None, "error") == (crashed["exit_code"], crashed["state"], crashed["level"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_lets_children_finish_what_is_in_flight(daemon, number):
    """Told to stop, the daemon asks its children, waits for their reports and exits 0 in time."""
    daemon.configure(slow=DAILY, queued=DAILY)
    daemon.deed("slow", "hold")
    daemon.deed("queued", "hold")
    daemon.last_starts(slow=50, queued=50)
    daemon.start()
    daemon.until_all(
        {"event": "run.started", "job": "slow"}, {"event": "run.started", "job": "queued"}
    )
    daemon.until_said(2)  # Both children are ready for signals by then.
    began = time.monotonic()

    daemon.tell(number)
    code, heavy = daemon.end()

    assert code == 0
    assert time.monotonic() - began < 10
    assert daemon.count("run.finished", state="partial", exit_code=4) == 2
    assert daemon.events[-1]["event"] == "daemon.stopped"
    assert heavy.strip() == "[]"


@pytest.mark.nightly
def test_a_child_that_does_not_stop_is_killed_in_time(daemon):
    """The daemon exits 0 within ten seconds even if a child ignores it, and leaves none behind."""
    daemon.configure(slow=DAILY)
    daemon.deed("slow", "stubborn")
    daemon.last_starts(slow=50)
    daemon.start()
    pid = daemon.until("run.started")["pid"]
    daemon.until_said(1)
    began = time.monotonic()

    daemon.tell(signal.SIGTERM)
    code, _ = daemon.end()

    assert code == 0
    assert time.monotonic() - began < 10
    assert daemon.count("run.killed", pid=pid) == 1
    assert daemon.count("run.finished", exit_code=-signal.SIGKILL) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_reload_takes_effect_and_leaves_running_children_alone(daemon):
    """On SIGHUP jobs come, go and change; a run that has started goes on to its end."""
    daemon.configure(slow=DAILY, old=DAILY, same=DAILY)
    daemon.deed("slow", "hold")
    daemon.last_starts(slow=50)
    before = daemon.start()["next"]
    running = daemon.until("run.started", job="slow")

    daemon.deed("fresh", "finish")
    daemon.configure("second", fresh="schedule: {every: 1s}", same=DAILY)
    daemon.tell(signal.SIGHUP)
    reloaded = daemon.until("config.reloaded")
    daemon.until("run.finished", job="fresh")
    daemon.release("slow")
    finished = daemon.until("run.finished", job="slow")

    assert (reloaded["added"], reloaded["removed"], reloaded["changed"]) == (
        ["fresh"],
        ["old", "slow"],
        [],
    )
    assert {"fresh", "same"} == reloaded["next"].keys()
    assert before["same"] == reloaded["next"]["same"]
    assert (running["pid"], "succeeded") == (finished["pid"], finished["state"])
    assert "child fresh reads # second" in daemon.said


@pytest.mark.nightly
def test_a_broken_configuration_keeps_the_old_one_running(daemon):
    """Every problem is told once, runs go on with the old content, and a repair is taken."""
    daemon.configure(tick="schedule: {every: 1s}")
    daemon.deed("tick", "finish")
    daemon.start()

    daemon.configure("broken", tick="schedule: {cron: '99 * * * *'}", tack="schedul: {every: 1s}")
    refused = daemon.until("config.refused", why="file changed")
    daemon.said.clear()
    daemon.until("run.started")
    daemon.until("run.finished")
    said = list(daemon.said)
    daemon.configure("repaired", tick=DAILY)
    reloaded = daemon.until("config.reloaded", why="file changed")

    paths = {problem["path"] for problem in refused["problems"]}
    assert {"jobs.tick.schedule.cron", "jobs.tack.schedul"} == paths
    assert {"child tick reads # first"} == set(said)
    assert (reloaded["changed"], daemon.count("config.refused")) == (["tick"], 1)


def test_a_configuration_that_vanishes_keeps_the_old_one_running(daemon):
    """A file that is gone at a reload is a problem to tell, not a reason to stop."""
    daemon.configure(tick="schedule: {every: 1s}")
    daemon.deed("tick", "finish")
    daemon.start()
    daemon.config.unlink()

    daemon.tell(signal.SIGHUP)
    refused = daemon.until("config.refused", why="SIGHUP")

    assert "cannot be read" in refused["problems"][0]["message"]
    assert daemon.until("run.finished")["state"] == "succeeded"


def test_what_waits_for_a_person_and_what_is_overdue_is_told(daemon):
    """Once, from what the bucket says, with what to type."""
    daemon.configure(slow=f"{DAILY}, expect: {{every: 1d}}")
    run = {"run": 4, "files": ["in/a.csv"], "notes": {"in/a.csv": "It is a copy."}}
    standing = {"job": "slow", "held_back": [run], "expect": "1d", "overdue_since": "2026-09-15"}
    (daemon.control / "status-main.json").write_text(json.dumps({"jobs": [standing]}))
    daemon.start()

    waiting, overdue = daemon.until_all(
        {"event": "job.waiting_for_person", "job": "slow", "level": "warning"},
        {"event": "job.overdue", "job": "slow", "every": "1d"},
    )

    assert [{"key": "in/a.csv", "note": "It is a copy."}] == waiting["runs"][0]["files"]
    assert "exchanger approve 4 --connection main" in waiting["next"]
    assert "exchanger runs slow" in overdue["next"]


def test_every_line_of_a_failing_daemon_is_an_event(daemon):
    """Whatever children say or die of: JSON with level, time, and the job that it is about."""
    every = "schedule: {every: 1s}"
    jobs = {"crashes": "native", "raises": "raise", "babbles": "babble", "works": "finish"}
    daemon.configure(**dict.fromkeys(jobs, every), asks=f"connection: shop, {DAILY}")
    for job, deed in jobs.items():
        daemon.deed(job, deed)
    daemon.start()
    daemon.until_all(
        {"event": "question.said", "connection": "shop", "question": "runs --latest"},
        {"event": "schedule.unknown", "connection": "shop"},
        *({"event": "run.finished", "job": job} for job in jobs),
    )
    daemon.tell(signal.SIGTERM)
    daemon.end()

    assert [] == daemon.plain
    for event in daemon.events:
        assert {"event", "level", "timestamp"} <= event.keys()
        assert "job" in event or not event["event"].startswith("run.")
    said = {
        job: "\n".join(
            one["text"] for one in daemon.events if one["event"] == "run.said" and one["job"] == job
        )
        for job in jobs
    }
    assert "Fatal Python error: Segmentation fault" in said["crashes"]
    assert '{"event": cut off by the crash' in said["crashes"]
    assert "Traceback" in said["raises"]
    assert "nobody thought" in said["raises"]
    assert daemon.count("run.planned", job="crashes", level="info", seq=3) >= 1


@pytest.mark.nightly
def test_starts_that_fail_are_made_up_for(daemon, tmp_path):
    """With hundreds of jobs waiting and no process to be had, none is lost; one line says so."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    daemon.program = str(python)
    jobs = [f"job{number}" for number in range(700)]
    daemon.configure(**dict.fromkeys(jobs, DAILY))
    for job in jobs:
        daemon.deed(job, "hold")
    daemon.last_starts(**dict.fromkeys(jobs, 50))
    daemon.start()
    running = [daemon.until("run.started")["job"] for _ in range(4)]
    while daemon.count("run.waiting") < len(jobs) - 4:
        daemon.until("run.waiting")

    python.unlink()
    for job in running:
        daemon.release(job)
    daemon.until_all(*({"event": "run.finished", "job": job} for job in running))
    python.symlink_to(sys.executable)
    again = daemon.until("run.started")["job"]
    daemon.release(again)
    daemon.until("run.finished", job=again)

    failed = daemon.count("run.not_started")
    assert 1 <= failed <= 2
    assert daemon.count("run.started") - 5 in range(1, 5)
