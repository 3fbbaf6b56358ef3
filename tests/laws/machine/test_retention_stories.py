"""What goes from the bucket in time, and what stays for as long as something reads it."""

from datetime import timedelta

import pytest
from support.machine.bucket_double import BucketDouble
from support.machine.drops import FRACTION
from support.machine.processes import Fault, Process
from support.machine.scene import STATE
from support.machine.telling import refuse, row

from exchanger.app.messages.notes.words import in_words
from exchanger.config.models import Retention
from exchanger.errors import RunUnsuitable
from exchanger.state.changes import month_of
from exchanger.state.runs.log import RunDocument
from exchanger.state.store import open_state

DAY = 86_400.0


@pytest.fixture
def kept(scene):
    """A connection that keeps what connections keep unless somebody says otherwise."""
    scene.retention = Retention()
    return scene


def below(scene, folder):
    """Name the objects of a folder of the state, without its own name."""
    head = STATE + folder
    return sorted(key.removeprefix(head) for key in scene.store.objects if key.startswith(head))


def months(scene):
    """Name the months of which there are changes."""
    logs = (scene.store.folder / STATE / "changes").glob("*/_delta_log/*.json")
    return sorted({log.parts[-3] for log in logs})


def after(scene, days):
    """Let days pass, then let a run come to its end, which sweeps."""
    scene.time.advance(days * DAY)
    scene.drop("shop", [row("cyd", note=str(scene.time.seconds), at=str(scene.time.seconds))])
    done = scene.start("shop")
    assert done.error is None
    assert "succeeded" == done.result.state


def refused(scene, verb, seq):
    """Demand that a decision is refused and sends nothing; give the reason."""
    before, runs = dict(scene.workspace.profiles), len(scene.runs())
    done = scene.start("crm", verb=verb, seq=seq)
    assert isinstance(done.error, RunUnsuitable)
    assert (before, runs) == (scene.workspace.profiles, len(scene.runs()))
    return str(done.error)


def test_what_was_planned_and_answered_goes_after_its_time(kept):
    """It stays for 30 days, and is gone at the next run after them; run documents stay."""
    kept.drop("crm", [row("ada", total="1")])
    kept.start("crm")
    after(kept, 29)
    assert {"000000001", "000000002"} == {key[:9] for key in below(kept, "outbox/")}
    after(kept, 2)
    assert ["000000002", "000000003"] == sorted({key[:9] for key in below(kept, "outbox/")})
    assert {"000000002", "000000003"} == {key[:9] for key in below(kept, "acks/")}
    assert {"000000002", "000000003"} == {key[:9] for key in below(kept, "begun/")}
    assert ["000000001.parquet"] == below(kept, "contributions/")
    assert [1, 2, 3] == [run.seq for run in kept.runs()]


def test_values_that_were_left_out_go_as_quarantine_does(kept):
    """They are listed for as long, although nothing of their run can be given again."""
    kept.on_invalid = "drop_value"
    kept.drop("crm", [row("bob", total=FRACTION, tier="gold")])
    kept.start("crm")
    assert "gold" == kept.profile("bob")["tier"]
    after(kept, 60)
    assert ["crm/000000001-dropped.csv"] == below(kept, "quarantine/")
    after(kept, 31)
    assert [] == below(kept, "quarantine/")


def test_a_retry_reads_what_later_runs_changed_for_as_long_as_it_can_be_asked_for(kept):
    """What was planned goes in its time; what was changed stays with the rows put aside before."""
    kept.retention = Retention(changes=timedelta(days=1))
    kept.drop("crm", [row("bob", total=FRACTION, tier="gold")])
    kept.start("crm")
    first = [month_of(kept.store.now())]
    kept.drop("crm", [row("bob", tier="iron")])
    kept.start("crm")
    assert first == months(kept)
    after(kept, 60)
    assert {"000000003"} == {key[:9] for key in below(kept, "outbox/") if "rej" not in key}
    assert ["crm/000000001.csv"] == below(kept, "quarantine/")
    assert first == months(kept)[:1]

    after(kept, 31)
    assert [] == below(kept, "quarantine/")
    assert ["000000004"] == sorted({key[:9] for key in below(kept, "outbox/")})
    after(kept, 31)
    assert first != months(kept)[:1]
    kept.takes_fractions = True
    why = refused(kept, "retry", 1)
    assert "was kept for 90d (retention.quarantine), and is gone" in why
    assert "iron" == kept.profile("bob")["tier"]


def test_a_retry_after_a_while_is_exact(kept):
    """Sixty days later a rejected row gives what it still may, and undoes nothing newer."""
    kept.drop("crm", [row("bob", total=FRACTION, tier="gold")])
    kept.start("crm")
    kept.drop("crm", [row("bob", tier="iron")])
    kept.start("crm")
    after(kept, 60)
    kept.takes_fractions = True
    done = kept.start("crm", verb="retry", seq=1)
    assert done.error is None
    assert (0.5, "iron") == (kept.profile("bob")["total"], kept.profile("bob")["tier"])


def test_rows_that_were_given_again_and_failed_again_count_from_their_first_run(kept):
    """The runs between the first one and its retry are read by a retry of the retry."""
    kept.drop("crm", [row("bob", total="10", tier="gold")])
    kept.start("crm", refuse())
    kept.drop("crm", [row("bob", tier="iron")])
    kept.start("crm")
    kept.time.advance(80 * DAY)
    kept.start("crm", refuse(), verb="retry", seq=1)
    after(kept, 50)
    assert "000000002" not in {key[:9] for key in below(kept, "outbox/")}
    done = kept.start("crm", verb="retry", seq=3)
    assert done.error is None
    assert (10, "iron") == (kept.profile("bob")["total"], kept.profile("bob")["tier"])


def test_a_replaced_file_brings_the_difference_for_as_long_as_it_is_known(kept):
    """More than a year later what the first version gave is taken back exactly."""
    key = kept.drop("crm", [row("ada", total="10")])
    kept.start("crm")
    after(kept, 390)
    kept.replace(key, [row("ada", total="1")])
    kept.start("crm")
    kept.start("crm", verb="approve", seq=3)
    assert 6 == kept.profile("ada")["total"]


def test_a_file_whose_earlier_version_is_forgotten_waits_and_says_why(kept):
    """The difference is not guessed: it is held back, not approved, and may be added in full."""
    key = kept.drop("crm", [row("ada", total="10")])
    kept.start("crm")
    after(kept, 401)
    assert "000000001.parquet" not in below(kept, "contributions/")
    kept.replace(key, [row("ada", total="1")])
    held = kept.start("crm").result
    assert "held_back" == held.state
    note = " ".join(map(in_words, held.files[0].facts))
    assert "What run 1 gave of an earlier version is not kept any more" in note
    assert "approve" not in note
    assert "discard 3" in note
    assert "nobody can tell the difference" in refused(kept, "approve", 3)
    assert 15 == kept.profile("ada")["total"]
    kept.start("crm", verb="force")
    assert 16 == kept.profile("ada")["total"]


def test_what_a_rule_of_the_bucket_removed_is_not_guessed(kept):
    """Without what later runs changed, a retry is refused, and names what is missing."""
    kept.drop("crm", [row("bob", total=FRACTION, tier="gold")])
    kept.start("crm")
    kept.drop("crm", [row("bob", tier="iron")])
    kept.start("crm")
    kept.takes_fractions = True
    after(kept, 0)
    changes = kept.store.folder / STATE / "changes"
    changes.rename(kept.store.folder / "elsewhere")
    assert "changes/" in refused(kept, "retry", 1)
    (kept.store.folder / "elsewhere").rename(changes)
    assert kept.start("crm", verb="retry", seq=1).error is None


def test_what_a_rule_removed_before_it_was_recorded_is_not_guessed(kept):
    """A retry is refused and names the plan, as long as it may be asked for; then it goes on."""
    kept.drop("crm", [row("bob", total=FRACTION, tier="gold")])
    kept.start("crm")
    after(kept, 0)
    kept.drop("crm", [row("bob", tier="iron")])
    kept.start("crm")
    [plan] = [key for key in below(kept, "outbox/") if key.startswith("000000003")]
    del kept.store.objects[f"{STATE}outbox/{plan}"]
    after(kept, 0)
    after(kept, 31)
    kept.takes_fractions = True
    assert plan in refused(kept, "retry", 1)
    assert {"000000004", "000000005"} == {k[:9] for k in below(kept, "outbox/") if "rej" not in k}
    after(kept, 401)
    assert {"000000006"} == {key[:9] for key in below(kept, "outbox/")}


def test_what_may_have_taken_effect_is_told_for_as_long_as_a_file_may_be_replaced(kept):
    """A new version does not build on a sum that nobody knows, also once it cannot be retried."""
    key = kept.drop("crm", [row("bob", total="10")])
    kept.start("crm", refuse(uncertain=True))
    after(kept, 100)
    assert ["crm/000000001.parquet"] == below(kept, "quarantine/")
    kept.replace(key, [row("bob", total="3")])
    kept.start("crm")
    assert "nobody can tell the difference" in refused(kept, "approve", 3)
    after(kept, 310)
    assert ["crm/000000001.parquet"] == below(kept, "quarantine/")
    kept.start("crm", verb="discard", seq=3)
    after(kept, 0)
    assert [] == below(kept, "quarantine/")


def test_a_copy_stays_until_it_is_decided(kept):
    """For years, with what an approval takes back; it goes at the next run after a decision."""
    for verb, total in (("discard", 15), ("approve", 17)):
        key = kept.drop("crm", [row("ada", total="10" if verb == "discard" else "5")])
        kept.start("crm")
        kept.replace(key, [row("ada", total="1" if verb == "discard" else "2")])
        held = kept.start("crm").result.seq
        after(kept, 1_000)
        assert [f"{held:09d}"] == [name[:9] for name in below(kept, "held-back/")]
        assert kept.start("crm", verb=verb, seq=held).error is None
        after(kept, 0)
        assert [] == below(kept, "held-back/")
        assert total == kept.profile("ada")["total"]


def test_a_copy_stays_while_rows_of_it_may_be_given_again(kept):
    """Approved with a rejected row, the copy is what a retry reads."""
    key = kept.drop("crm", [row("ada", total="10")])
    kept.start("crm")
    kept.replace(key, [row("ada", total="1"), row("bob", total=FRACTION)])
    kept.start("crm")
    kept.start("crm", verb="approve", seq=2)
    kept.drop("crm", [], key)
    after(kept, 60)
    assert 1 == len(below(kept, "held-back/"))
    kept.takes_fractions = True
    assert kept.start("crm", verb="retry", seq=3).error is None
    assert 0.5 == kept.profile("bob")["total"]
    after(kept, 91)
    after(kept, 0)
    assert [] == below(kept, "held-back/")


def test_a_run_that_has_not_ended_keeps_what_it_planned(kept):
    """Killed while it sent, it goes on a year later with what it had planned."""
    kept.drop("crm", [row("ada", total="10")])
    kept.start("crm", [Fault("track", 0, "crash")])
    kept.time.advance(400 * DAY)
    kept.start("crm")
    assert 15 == kept.profile("ada")["total"]


def test_a_sweep_costs_the_same_however_many_runs_there_were(kept):
    """Old runs are looked at once: what was swept is neither listed nor read again."""
    asked = [_asked_by_a_sweep(kept, runs) for runs in (20, 200)]
    assert asked[0] == asked[1]


def _asked_by_a_sweep(kept, runs):
    """Have so many old runs swept, and count what one more run asks of the bucket."""
    state = open_state(BucketDouble(kept.store, Process(kept.time, None)), STATE)
    kept.store.objects.clear()
    for seq in range(1, runs + 1):
        document = RunDocument(seq, f"r{seq}", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z")
        kept.store.put(state.names.run(seq), document.to_bytes())
        kept.store.put(f"{STATE}outbox/{seq:09d}-n.parquet", b"")
    after(kept, 500)
    assert runs + 1 == int(min(below(kept, "outbox/"))[:9])
    asked = []

    def counted(does):
        return lambda *at: (asked.append(at), does(*at))[1]

    page, get = kept.store.page, kept.store.get
    kept.store.page, kept.store.get = counted(page), counted(get)
    after(kept, 0)
    kept.store.page, kept.store.get = page, get
    # All ages of the last thousand runs are one request in life, and many here.
    return len([at for at in asked if len(at) > 1 and at[0] != state.names.runs])
