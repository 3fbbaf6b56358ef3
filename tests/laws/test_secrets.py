"""Law 9: no key in anything that is written, however a call fails, in whatever spelling."""

from __future__ import annotations

import base64
import gzip
import io
import json
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from urllib.parse import quote

import polars as pl
import pytest
from support import leaks
from support.planted import (
    BRAZE_KEY,
    CANARY,
    CLIENT_SECRET,
    COHORT_JOB,
    COHORT_USERS,
    COHORTS,
    CORES,
    EXPORT_JOB,
    IMPORT,
    LIMIT,
    PARTNER,
    PARTNER_KEY,
    ROWS,
    TRACK,
    EchoingStore,
    Scene,
    echoes,
)

from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox, SandboxSettings

AT_ONCE = 6
ECHO = {"message": echoes(), "errors": [echoes()]}
NAMED = {
    "message": echoes(),
    "errors": [{"type": echoes(), "input_array": "attributes", "index": 0}, echoes()],
}


@pytest.fixture
def scenes(local_s3, tmp_path, warm):
    """Make scenes, each with a workspace and a bucket of its own."""
    from exchanger.config.models import S3Config

    running = []

    def scene(name, **braze_changes):
        bucket = f"secrets-{name}-{tmp_path.name[-12:]}".lower().replace("_", "-").strip("-")
        local_s3.create_bucket(bucket)
        settings = SandboxSettings(
            api_keys={BRAZE_KEY: None},
            partners={PARTNER: PARTNER_KEY},
            client_secrets={CLIENT_SECRET: PARTNER},
        )
        braze = Sandbox(settings, s3=local_s3, bucket=bucket).start()
        running.append(braze)
        braze.add_segment("Everybody")
        connection = {
            "braze": {
                "endpoint": braze.url,
                "api_key": "${PLANTED_BRAZE}",
                "spacing": "0s",
                "grace": "1s",
            },
            "lease": "6s",
            "s3": {
                "bucket": bucket,
                "region": local_s3.region,
                "endpoint_url": local_s3.url,
                "access_key_id": "${PLANTED_ID}",
                "secret_access_key": "${PLANTED_SECRET}",
            },
        }
        config = S3Config(
            bucket=bucket,
            region=local_s3.region,
            endpoint_url=local_s3.url,
            access_key_id="sandbox",
            secret_access_key="sandbox",
        )
        folder = tmp_path / name
        folder.mkdir()
        made = Scene(folder, braze, Bucket(config), connection, warm)
        made.bucket.write("inbox/1.csv.gz", gzip.compress(ROWS.encode()))
        made.bucket.write("people/1.csv", b"id\na\nb\n")
        braze.seed([{"external_id": who} for who in "ab"])
        return made

    yield scene
    for braze in running:
        braze.stop()


@pytest.fixture
def echoing():
    """Serve stores that refuse and echo."""
    running = []

    def serve(status, code):
        server = ThreadingHTTPServer(("127.0.0.1", 0), EchoingStore)
        server.says = (status, code)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def braze_says(endpoint, status, body):
    def arrange(scene, _echoing):
        scene.braze.faults(endpoint, status=status, body=body, times=999)

    return arrange


def braze_at(address):
    def arrange(scene, _echoing):
        scene.connection["braze"]["endpoint"] = address

    return arrange


def store_says(status, code):
    def arrange(scene, echoing):
        scene.connection["s3"]["endpoint_url"] = echoing(status, code)

    return arrange


def put_into(section, **values):
    def arrange(scene, _echoing):
        scene.connection[section] |= values

    return arrange


def crash(scene, _echoing):
    """Make the program fall over something that nobody foresaw: its traceback is logged."""
    odd = {"format": 1, "holder": CANARY, "fence": "1", "nonce": "", "counter": 0}
    odd |= {"seconds": 0, "free": True}
    scene.bucket.write("_exchanger/main/lease.json", json.dumps(odd).encode())


def damage(scene, _echoing):
    """Damage a table of the state."""
    scene.bucket.write(
        "_exchanger/main/file-ledger/_delta_log/00000000000000000000.json", b"{nonsense"
    )


def channel_is(text):
    def arrange(scene, _echoing):
        scene.channel = text

    return arrange


RUN, CHECK, GET = ("run", IMPORT), ("check", "--connect"), ("run", EXPORT_JOB)
GIVE, TRY = ("run", COHORT_JOB), ("send-test", COHORT_JOB)
FAILURES = {
    "401": (braze_says("*", 401, ECHO), (RUN, CHECK, GET), {7}),
    "403": (braze_says("*", 403, ECHO), (RUN, GET), {7}),
    "400": (braze_says(TRACK, 400, ECHO), (RUN,), {4}),
    "named": (braze_says(TRACK, 400, NAMED), (RUN,), {4}),
    "warned": (braze_says(TRACK, 201, NAMED), (RUN,), {4}),
    "cohort-401": (braze_says(COHORTS, 401, ECHO), (GIVE,), {7}),
    "cohort-400": (braze_says(COHORT_USERS, 400, ECHO), ((*TRY, "--yes"), GIVE), {4}),
    "cohort-500": (braze_says(COHORT_USERS, 500, ECHO), (GIVE,), {7}),
    "404": (braze_says("*", 404, echoes()), (RUN, GET, ("segments",)), {7}),
    "500": (braze_says(TRACK, 500, ECHO), (RUN,), {7}),
    "unreadable": (braze_says("*", 200, echoes()), (GET,), {7}),
    "refused": (braze_at("http://127.0.0.1:9"), (RUN, CHECK), {7}),
    "nowhere": (put_into("s3", bucket="no-such-bucket-57"), (RUN, CHECK), {6}),
    "store-denies": (store_says(403, "InvalidAccessKeyId"), (RUN, CHECK), {6}),
    "store-fails": (store_says(500, "InternalError"), (RUN,), {6}),
    "store-odd": (store_says(400, "SomethingOdd"), (RUN,), {6}),
    "crash": (crash, (RUN,), {1}),
    "damaged": (damage, (RUN,), {6}),
    "bad-number": (put_into("braze", batch_size="${PLANTED_BRAZE}"), (RUN, CHECK), {3}),
    "bad-address": (put_into("braze", endpoint="${PLANTED_BRAZE}"), (RUN, CHECK), {3}),
    "bad-time": (put_into("braze", spacing="${PLANTED_SECRET}"), (CHECK,), {3}),
    "bad-store": (put_into("s3", endpoint_url="${PLANTED_SECRET}"), (RUN, CHECK), {3, 6}),
    "bad-region": (put_into("s3", region="${PLANTED_SECRET}"), (RUN,), {1, 3, 6}),
    "bad-channel": (channel_is("no${PLANTED_ALERT}"), (CHECK, ("alerts", "--try"), RUN), {3, 4}),
    "misspelt": (put_into("braze", api_keyy="${PLANTED_BRAZE}"), (CHECK,), {3}),
}


IN_CI = (
    "401",
    "403",
    "cohort-401",
    "cohort-400",
    "named",
    "500",
    "refused",
    "nowhere",
    "store-denies",
    "crash",
    "damaged",
    "bad-number",
    "bad-store",
    "bad-channel",
)
"""The likely ones; the nightly test plays all of them, by every verb."""


def forms_of(found):
    """Tell the kinds of places in which something was found, and the spellings."""
    return {kind for kind, _, _ in found}, {form for _, _, form in found}


def plant_canaries(scene):
    """Leave the canary in each kind of place and spelling, beside what the program itself wrote."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.txt", CANARY)
    table = io.BytesIO()
    pl.DataFrame({"note": [CANARY]}).write_parquet(table)
    encoded = [base64.b64encode(b"\0" * n + CANARY.encode() + b"..") for n in range(3)]
    scene.bucket.write("canaries/archive.zip", archive.getvalue())
    scene.bucket.write("canaries/packed.gz", gzip.compress(table.getvalue()))
    scene.bucket.write("canaries/encoded.txt", b" ".join(encoded))
    scene.temporary.mkdir(exist_ok=True)
    (scene.temporary / "left.gz").write_bytes(gzip.compress(CANARY.encode()))


def nothing_leaked(places):
    """Demand that no key, and no part of one, is anywhere."""
    found = {}
    for secret, core in CORES.items():
        for text in (secret, core):
            found |= dict.fromkeys(leaks.search(places, text), core[:6])
    assert {} == found


def test_the_search_finds_a_key_in_every_spelling_and_place():
    """What is searched for is found: quoted, escaped, encoded at any alignment, packed in files."""
    for text in (*CORES, CANARY):
        spelt = {
            "plain": [text.encode(), json.dumps(text).encode(), repr(text).encode()],
            "quoted": [quote(text, safe="").encode()],
        }
        for offset in range(3):
            encoded = b"\1" * offset + text.encode() + b"\2\3"
            spelt[f"base64+{offset}"] = [
                base64.b64encode(encoded),
                base64.urlsafe_b64encode(encoded),
            ]
        for form, contents in spelt.items():
            for content in contents:
                found = leaks.search(leaks.opened("x", gzip.compress(b"<" + content + b">")), text)
                same = quote(text, safe="") == text
                assert ("gzip", {"plain"} if same and form == "quoted" else {form}) == (
                    next(kind for kind, _, _ in found),
                    {one for _, _, one in found},
                )


@pytest.mark.long(25)
def test_what_a_good_run_writes_holds_no_key(scenes):
    """
    Imports and an export write state, reports, logs and data, and no key into any of them.

    A killed run leaves its temporary files: these, too.
    """
    scene = scenes("good")
    places = []
    code, said = scene.call(*RUN, "--json")
    assert 4 == code, said
    places += said
    saved = ("plan", COHORT_JOB, "--save", str(scene.temporary / "saved.json"))
    for words in (GET, ("runs", "--json"), ("show", "1", "--json"), CHECK, saved, TRY, GIVE):
        code, said = scene.call(*words)
        assert 0 == code, said
        places += said
    scene.bucket.write("inbox/2.csv", ROWS.replace("a,1", "a,2").encode())
    scene.braze.faults(TRACK, delay=LIMIT, times=99)
    killed = scene.start(*RUN)
    until = time.monotonic() + LIMIT
    before = scene.braze.requests(TRACK)
    while scene.braze.requests(TRACK) == before and time.monotonic() < until:
        assert killed.poll() is None
    killed.kill()
    out, err = killed.communicate()
    places += [
        leaks.Place("stdout", "killed", out.encode()),
        leaks.Place("stderr", "killed", err.encode()),
    ]
    assert [path for path in scene.temporary.iterdir() if path.is_dir()]
    plant_canaries(scene)
    places += scene.written()

    kinds, forms = forms_of(leaks.search(places, CANARY))
    assert {"stdout", "stderr", "object", "parquet", "gzip", "zip", "file"} == kinds
    assert {"plain", "base64+0", "base64+1", "base64+2"} == forms
    nothing_leaked(places)


def play(name, calls, scenes, echoing):
    """Play one failure in a scene of its own; everything that was written there."""
    arrange, _, codes = FAILURES[name]
    scene = scenes(name)
    arrange(scene, echoing)
    places = []
    for nth, words in enumerate(calls):
        code, said = scene.call(*words)
        # What was refused for good is told of once; then there is nothing to do.
        assert code in (codes | {0} if nth else codes), (name, words, said)
        places += said
    places += scene.written()
    return [leaks.Place(one.kind, f"{name}: {one.name}", one.content) for one in places]


def play_all(calls_of, scenes, echoing):
    """Play every failure, find the canary in what was written, and no key."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = pool.map(lambda name: play(name, calls_of[name], scenes, echoing), calls_of)
        places = [place for one in played for place in one]
    kinds, _ = forms_of(leaks.search(places, CANARY))
    assert {"stdout", "stderr", "object", "gzip", "parquet"} <= kinds
    nothing_leaked(places)


@pytest.mark.long(22)
def test_no_failure_tells_a_key(scenes, echoing):
    """However a call fails, and whatever the answer echoes: no key in what is said or kept."""
    modes = ((), ("--json",))
    calls_of = {
        name: [(*FAILURES[name][1][nth % len(FAILURES[name][1])], *modes[nth % 2])]
        for nth, name in enumerate(IN_CI)
    }
    play_all(calls_of, scenes, echoing)


@pytest.mark.nightly
def test_no_failure_of_any_verb_tells_a_key(scenes, echoing):
    """The same for every verb that can fail so, in words and in JSON."""
    calls_of = {
        name: [(*words, *mode) for words in commands for mode in ((), ("--json",))]
        for name, (_, commands, _) in FAILURES.items()
    }
    play_all(calls_of, scenes, echoing)
