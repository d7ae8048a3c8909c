"""A disk that is full, and a store that another program holds: pictures stop first, and no count is lost."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from hemonode.runtime.live.events import EventLog
from hemonode.runtime.record import connection as connection_module
from hemonode.runtime.record import disk, waiting, writer

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    monkeypatch.setattr(writer, "_LOOK_S", 0.05)
    monkeypatch.setattr(writer, "_RETRY_S", (0.02,))


@pytest.fixture
def locked():
    """Holds a store as another program would; call the result to let it go."""
    held = []

    def lock(recorder):
        connection = sqlite3.connect(recorder.store.places.database, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        held.append(connection)
        return connection.close

    yield lock
    for connection in held:
        connection.close()


@pytest.fixture
def full_database(monkeypatch):
    """A database that SQLite may not let grow: it answers as on a full disk. Set `pages` to 0 for room."""
    limit = {"pages": 0}
    really = connection_module.open_for_writing

    def opened(places):
        connection = really(places)
        # Kept per connection; the recorder opens a new one after a failure.
        connection.execute(f"PRAGMA max_page_count = {limit['pages'] or 1 << 30}")
        return connection

    monkeypatch.setattr(connection_module, "open_for_writing", opened)
    return limit


def messages(log: EventLog) -> str:
    return "\n".join(event.message for event in log.after())


def total(recorder, session):
    return recorder.store.session(session).cells


def test_pictures_stop_at_the_budget_and_counts_go_on(recorders, record, kept, log):
    recorder = recorders(budget_bytes=60_000)
    recorder.start()
    session = recorder.begin(record.facts())
    for sequence in range(8):
        kept(recorder, record.field(sequence), picture=True)
    told = recorder.store.session(session)
    assert told.cells == 8 * 5
    assert 1 <= told.pictures < 8
    assert told.picture_bytes < 60_000 + 40_000  # the last one may pass it
    status = recorder.status()
    assert status.state == "without_pictures"
    assert "budget" in status.message
    assert messages(log).count("Pictures are not kept any more") == 1


def test_pictures_go_on_by_themselves_once_others_were_deleted(recorders, record, kept, stop, log, sessions):
    recorder = recorders(budget_bytes=60_000)
    recorder.start()
    old = recorder.begin(record.facts("old"))
    for sequence in range(4):
        kept(recorder, record.field(sequence), picture=True)
    new = recorder.begin(record.facts("new"))
    kept(recorder, picture=True)
    assert recorder.status().state == "without_pictures"
    status, _, errors = sessions("delete", old, "--pictures-only", "--yes")
    assert status == 0, errors
    record.wait_until(lambda: recorder.status().state == "recording")
    kept(recorder, picture=True)
    assert recorder.store.session(new).pictures == 1
    assert recorder.store.session(old).cells == 20
    assert "Pictures are kept again" in messages(log)


def test_pictures_stop_where_free_space_falls_below_the_reserve(recorders, record, kept, monkeypatch):
    free = {"bytes": 5 << 30}
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: Usage(10 << 30, 0, free["bytes"]))
    recorder = recorders(reserve_bytes=2 << 30)
    recorder.start()
    session = recorder.begin(record.facts())
    kept(recorder, picture=True)
    free["bytes"] = 1 << 30
    kept(recorder, picture=True)
    record.wait_until(lambda: recorder.status().state == "without_pictures")
    assert recorder.status().free_bytes == 1 << 30
    assert "reserve" in recorder.status().message
    free["bytes"] = (2 << 30) + 1  # a little above: it would stop again at once
    kept(recorder, picture=True)
    assert recorder.status().state == "without_pictures"
    free["bytes"] = 3 << 30
    record.wait_until(lambda: recorder.status().state == "recording")
    kept(recorder, picture=True)
    assert [field.picture for field in recorder.store.fields(session)] == [True, False, False, True]


def test_a_disk_that_takes_no_picture_takes_the_counts(recorder, record, kept, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(writer, "write_pair", refuse)
    session = recorder.begin(record.facts())
    kept(recorder, picture=True)
    assert [(field.picture, field.counts) for field in recorder.store.fields(session)] == [(False, record.counts)]
    assert "Disk quota exceeded" in recorder.status().message
    assert not list(recorder.store.places.folder.rglob("*.partial"))


def test_pictures_that_a_slow_disk_did_not_take_before_a_stop_cost_no_count(recorder, record, monkeypatch):
    def slow(*_):
        time.sleep(0.7)
        return 1000

    monkeypatch.setattr(writer, "write_pair", slow)
    session = recorder.begin(record.facts())
    for sequence in range(5):
        recorder.keep(record.field(sequence), picture=True)
    recorder.request_stop()
    assert recorder.join(time.monotonic() + 1.5), "as long as the stop of a live view may take"
    assert recorder.store.session(session).fields == 5


def test_counts_wait_for_a_full_disk_and_are_written_when_there_is_room(recorders, record, log, full_database):
    full_database["pages"] = 40
    recorder = recorders()
    recorder.start()
    session = recorder.begin(record.facts())
    for sequence in range(300):
        recorder.keep(record.field(sequence), picture=False)
    record.wait_until(lambda: recorder.status().state == "failing")
    assert "disk is full" in recorder.status().message
    assert recorder.status().waiting > 0
    assert 0 < total(recorder, session) < 300 * 5
    full_database["pages"] = 0
    record.wait_until(lambda: recorder.status().waiting == 0)
    assert recorder.status().state == "recording"
    assert total(recorder, session) == 300 * 5
    assert messages(log).count("Counts wait in memory") == 1
    assert "no count was lost" in messages(log)


def test_a_locked_store_is_waited_for_and_told(recorder, record, kept, log, locked):
    session = recorder.begin(record.facts())
    kept(recorder)
    let_go = locked(recorder)
    for sequence in range(30):
        recorder.keep(record.field(sequence), picture=True)
    record.wait_until(lambda: recorder.status().state == "failing")
    assert "locked by another program" in recorder.status().message
    assert total(recorder, session) == 5  # readers are not held up
    let_go()
    record.wait_until(lambda: recorder.status().waiting == 0)
    assert total(recorder, session) == 31 * 5
    assert recorder.status().state == "recording"


def test_a_session_begins_and_ends_while_the_store_is_locked(recorder, record, locked):
    first = recorder.begin(record.facts("first"))
    record.wait_until(lambda: recorder.store.sessions())
    let_go = locked(recorder)
    second = recorder.begin(record.facts("second"))
    recorder.keep(record.field(), picture=False)
    recorder.finish()
    let_go()
    record.wait_until(lambda: len(recorder.store.sessions()) == 2)
    record.wait_until(lambda: recorder.store.session(second).state == "finished")
    assert recorder.store.session(second).cells == 5
    assert recorder.store.session(first).state == "finished"


def test_what_a_locked_store_did_not_take_before_the_stop_is_there_after_the_next_start(
    recorders, record, kept, stop, locked, log
):
    first = recorders()
    first.start()
    session = first.begin(record.facts("Slide 1"))
    kept(first, picture=True)
    let_go = locked(first)
    log.add("governor", "Stepped down.")
    for sequence in range(5):
        first.keep(record.field(sequence), picture=sequence == 0)
    second = first.begin(record.facts("Slide 2"))
    first.keep(record.field(), picture=False)
    assert stop(first)
    assert total(first, session) == 5
    let_go()
    again = recorders()
    again.start()
    told = {each.id: (each.name, each.state, each.cells) for each in again.store.sessions()}
    assert told == {session: ("Slide 1", "finished", 30), second: ("Slide 2", "interrupted", 5)}
    fields = again.store.fields(session)
    assert [(field.id, field.picture) for field in fields][:3] == [(1, True), (2, True), (3, False)]
    assert {field.model.setting for field in fields} == {"tol1e-3"}
    assert again.store.picture(session, 2, "overlay").startswith(b"\x89PNG")
    assert len(again.store.cells(session, 1, 6)) == 36
    assert again.store.events(session)[0].message == "Stepped down."
    assert not list(again.store.places.unwritten.iterdir())
    assert "6 fields that could not be written before" in messages(log)


def test_what_cannot_be_taken_over_is_kept_and_harms_nothing(recorder, recorders, record, kept, stop, log):
    session = recorder.begin(record.facts())
    kept(recorder)
    assert stop(recorder)
    folder = recorder.store.places.unwritten / "20260101-000000-abcdef"
    folder.mkdir(parents=True)
    (folder / "sessions.db").write_bytes(b"no database" * 1000)
    again = recorders()
    again.start()
    assert again.store.session(session).fields == 1
    assert (folder / "sessions.db").exists()
    assert "cannot be taken over" in messages(log)


def test_more_than_memory_is_given_for_waits_as_sums_that_lose_no_count(recorder, record, locked, monkeypatch):
    monkeypatch.setattr(waiting, "ROWS", 40)
    monkeypatch.setattr(waiting, "CELLS_BYTES", 2_000)
    monkeypatch.setattr(waiting, "EVENTS", 5)
    session = recorder.begin(record.facts())
    record.wait_until(lambda: recorder.store.sessions())
    let_go = locked(recorder)
    for sequence in range(300):
        recorder.keep(record.field(sequence, "counted" if sequence % 10 == 0 else "tallied"), picture=False)
    assert recorder.status().waiting == 300
    let_go()
    record.wait_until(lambda: recorder.status().waiting == 0)
    fields = recorder.store.fields(session)
    assert len(fields) < 200
    assert sum(field.stands_for for field in fields) == 300
    told = recorder.store.session(session)
    assert (told.counted, told.area) == ({class_id: 270 * count for class_id, count in record.counts.items()}, 270)
    assert told.last_field == 300
    assert "places of their cells" not in (recorder.status().message or "")


_ON_A_SMALL_DISK = """
import json, os, sys, time
sys.path[:0] = {paths}
from pathlib import Path
import importlib.util
sys.path.insert(0, str(Path({conftest!r}).parents[2] / "standins"))  # as pytest has it
spec = importlib.util.spec_from_file_location("record_conftest", {conftest!r})
given = importlib.util.module_from_spec(spec)
spec.loader.exec_module(given)
folder = Path({folder!r})
log = given.EventLog()
recorder = given.Recorder(folder / "store", log, given.FaultLog(), reserve_bytes=0)
recorder.start()
ballast = folder / "ballast"
session = recorder.begin(given.make_facts())
recorder.keep(given.make_field(), picture=True)
given.wait_until(lambda: recorder.status().waiting == 0)
with ballast.open("wb", buffering=0) as file:  # until nothing goes in any more
    try:
        while True:
            file.write(bytes(1024))
    except OSError:
        pass
states = set()
for sequence in range(60):
    recorder.keep(given.make_field(sequence), picture=True)
    time.sleep(0.01)
    states.add(recorder.status().state)
given.wait_until(lambda: recorder.status().state == "failing")
message = recorder.status().message
ballast.unlink()
began = time.monotonic()
given.wait_until(lambda: recorder.status().waiting == 0)
recovered_s = time.monotonic() - began
told = recorder.store.session(session)
kept = [recorder.store.picture(session, field.id) for field in recorder.store.fields(session) if field.picture]
left = [path.name for path in folder.rglob("*.partial")]
print(json.dumps([told.cells, len(kept), message, recorder.status().state, left, recovered_s]))
"""


def test_a_disk_that_is_really_full_is_survived(tmp_path):
    """On a file system of 1.5 MB that a user namespace may mount: no rights are needed, where such are allowed."""
    small = tmp_path / "small"
    small.mkdir()
    script = tmp_path / "full.py"
    conftest = Path(__file__).with_name("conftest.py")
    script.write_text(_ON_A_SMALL_DISK.format(paths=[], conftest=str(conftest), folder=str(small)))
    mount = f'mount -t tmpfs -o size=1500k none "{small}"'
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Urm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("this machine lets no user mount a small file system")
    done = subprocess.run(
        [unshare, "-Urm", "sh", "-c", f'{mount} && exec "{sys.executable}" "{script}"'],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    cells, pictures, message, state, left, _ = json.loads(done.stdout)
    assert cells == 61 * 5
    assert pictures >= 1
    assert "disk is full" in message
    assert state in ("recording", "without_pictures")
    assert left == []


def test_one_field_that_cannot_be_written_holds_up_no_other(recorder, record, log, locked):
    session = recorder.begin(record.facts())
    record.wait_until(lambda: recorder.store.sessions())
    let_go = locked(recorder)  # so that they are written together
    for sequence in range(10):
        field = record.field(sequence, note=object() if sequence == 4 else "")
        recorder.keep(field, picture=False)
    let_go()
    record.wait_until(lambda: recorder.status().waiting == 0)
    assert [field.id for field in recorder.store.fields(session)] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert recorder.status().state == "recording"
    assert "please report this" in messages(log)


def test_a_picture_that_cannot_be_encoded_costs_no_count(recorder, record, kept, monkeypatch):
    def broken(*_, **__):
        raise ValueError("no such thing")

    monkeypatch.setattr(writer, "encode_picture", broken)
    session = recorder.begin(record.facts())
    kept(recorder, picture=True)
    assert [(field.picture, field.counts) for field in recorder.store.fields(session)] == [(False, record.counts)]
