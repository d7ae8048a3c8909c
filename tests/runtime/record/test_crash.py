"""Killed, damaged, removed: what a recorder finds when it starts again, and what it makes of it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hemonode.errors import OutputError
from hemonode.runtime.record import schema
from hemonode.runtime.record.store import SessionStore

_RECORDS_UNTIL_KILLED = """
import importlib.util, sys, time
from pathlib import Path
sys.path.insert(0, str(Path({conftest!r}).parents[2] / "standins"))  # as pytest has it
spec = importlib.util.spec_from_file_location("record_conftest", {conftest!r})
given = importlib.util.module_from_spec(spec)
spec.loader.exec_module(given)
recorder = given.Recorder(Path({folder!r}), given.EventLog(), given.FaultLog(), reserve_bytes=0)
recorder.start()
interrupted = recorder.interrupted()
recorder.proceed(interrupted.session) if interrupted else recorder.begin(given.make_facts())
fields = [given.make_field(sequence) for sequence in range(8)]
while True:
    number = recorder.keep(fields[recorder.status().fields % 8], picture=True)
    while recorder.status().waiting:
        time.sleep(0.0002)
    print(number, flush=True)
"""


def test_kill_9_loses_at_most_the_field_in_work(tmp_path):
    script, folder = tmp_path / "records.py", tmp_path / "store"
    conftest = str(Path(__file__).with_name("conftest.py"))
    script.write_text(_RECORDS_UNTIL_KILLED.format(conftest=conftest, folder=str(folder)))
    written = 0
    for kill_after in (1, 4, 13):
        with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as child:
            for _ in range(kill_after):
                written = int(child.stdout.readline())
            child.kill()
            rest = child.stdout.read().split("\n")[:-1]
        assert child.returncode == -signal.SIGKILL
        written = int(rest[-1]) if rest else written
        store = SessionStore(folder)
        (told,) = store.sessions()
        fields = store.fields(told.id)
        assert told.state == "interrupted"
        assert [field.id for field in fields] == list(range(1, len(fields) + 1))
        assert written <= len(fields) <= written + 1
        for field in fields:
            store.picture(told.id, field.id, "overlay")
        connection = sqlite3.connect(store.places.database)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()


def test_half_written_pictures_are_cleared_away_at_the_next_start(recorder, recorders, record, kept, stop):
    session = recorder.begin(record.facts())
    kept(recorder, picture=True)
    assert stop(recorder)
    folder = recorder.store.places.pictures(session)
    for name in (".000002.ome.tif.1234.partial", "000002.ome.tif", "000002.mask.png", "notes.txt"):
        (folder / name).write_bytes(b"half")
    recorders().start()
    assert sorted(path.name for path in folder.iterdir()) == ["000001.mask.png", "000001.ome.tif", "notes.txt"]


def test_pictures_of_a_session_that_another_process_records_are_left_alone(recorder, recorders, record, kept):
    session = recorder.begin(record.facts())
    kept(recorder, picture=True)
    half = recorder.store.places.pictures(session) / "000002.ome.tif"
    half.write_bytes(b"half")
    recorders().start()
    assert half.exists()


@pytest.mark.parametrize("damage", ["garbage", "torn"])
def test_a_damaged_store_is_kept_aside_and_a_new_one_begun(recorders, record, kept, stop, log, tmp_path, damage):
    first = recorders()
    first.start()
    first.begin(record.facts())
    kept(first, picture=True)
    assert stop(first)
    database = tmp_path / "store" / "sessions.db"
    content = database.read_bytes()
    database.write_bytes(b"no database at all" * 300 if damage == "garbage" else content[:4096] + bytes(len(content)))
    with pytest.raises(OutputError, match="is damaged"):
        SessionStore(tmp_path / "store").sessions()
    again = recorders()
    again.start()
    session = again.begin(record.facts("after"))
    kept(again)
    assert [told.id for told in again.store.sessions()] == [session]
    (aside,) = database.parent.glob("sessions.damaged-*.db")
    assert aside.stat().st_size > 0
    assert any(aside.name in event.message for event in log.after())
    assert list((tmp_path / "store" / "pictures").rglob("*.ome.tif"))  # pictures of the lost record stay


def test_a_store_that_is_removed_while_it_is_written_is_begun_anew(recorder, record, kept, log):
    session = recorder.begin(record.facts("Slide 4"))
    kept(recorder)
    shutil.rmtree(recorder.store.places.folder)
    kept(recorder, picture=True)
    told = recorder.store.session(session)
    assert (told.name, told.fields, told.last_field) == ("Slide 4", 1, 2)
    assert any("was removed while it was written" in event.message for event in log.after())


def test_a_store_of_a_newer_hemonode_is_refused(recorders, recorder, stop, tmp_path, sessions):
    assert stop(recorder)
    database = tmp_path / "store" / "sessions.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutputError, match="newer hemonode"):
        recorders().start()
    status, _, errors = sessions("list")
    assert (status, "newer hemonode" in errors) == (1, True)


def test_somebody_elses_database_is_left_as_it_is(recorders, tmp_path):
    (tmp_path / "store").mkdir()
    connection = sqlite3.connect(tmp_path / "store" / "sessions.db")
    connection.execute("CREATE TABLE browser_history (page TEXT)")
    connection.commit()
    connection.close()
    before = (tmp_path / "store" / "sessions.db").read_bytes()
    with pytest.raises(OutputError, match="not one of hemonode's"):
        recorders().start()
    assert (tmp_path / "store" / "sessions.db").read_bytes() == before


def test_an_earlier_store_is_brought_to_this_version_with_all_it_holds(finished_session, recorders, monkeypatch):
    store, session = finished_session
    later = "ALTER TABLE sessions ADD COLUMN operator TEXT;"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, later))
    recorders().start()
    connection = sqlite3.connect(store.places.database)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT id, operator FROM sessions").fetchall() == [(session, None)]
    connection.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(finished_session, recorders, monkeypatch):
    store, session = finished_session
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "DROP TABLE events; SELECT nonsense;"))
    recorders().start()
    monkeypatch.undo()
    assert store.events(session) == ()
    assert store.session(session).fields == 3


def test_a_file_in_the_way_is_told_at_the_start(recorders, tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        recorders().start()


def test_a_store_on_a_read_only_disk_can_be_read_and_says_that_it_cannot_be_written(finished_session, tmp_path):
    store, session = finished_session
    folder = store.places.folder
    look = f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}"'
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Urm", "sh", "-c", look], capture_output=True).returncode:
        pytest.skip("this machine lets no user mount a folder read-only")
    script = tmp_path / "look.py"
    script.write_text(
        "from pathlib import Path\nfrom hemonode.runtime.record.store import SessionStore\n"
        f"store = SessionStore(Path({str(folder)!r}))\n"
        f"print(store.session({session!r}).cells, len(store.picture({session!r}, 1, 'overlay')) > 0)\n"
        "from hemonode.errors import OutputError\n"
        "from hemonode.runtime.live.events import EventLog\nfrom hemonode.runtime.live.meters import FaultLog\n"
        "from hemonode.runtime.record.recorder import Recorder\n"
        "try:\n"
        "    Recorder(store.places.folder, EventLog(), FaultLog()).start()\n"
        "except OutputError as error:\n"
        "    print('cannot be written' in str(error))\n"
    )
    command = f'{look} && exec "{sys.executable}" "{script}"'
    done = subprocess.run([unshare, "-Urm", "sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["15", "True", "True"]), done.stderr
