"""What is counted is kept: fields, events and pictures of a session, and what can be gone on with."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
import time
from datetime import datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
import tifffile

from hemonode.errors import OutputError, UnknownNameError
from hemonode.runtime.record import session as session_module
from hemonode.runtime.record.store import SessionStore


def test_a_tallied_field_is_told_as_it_was_counted(recorder, record, kept):
    session = recorder.begin(record.facts("Anna's slide"))
    number = kept(recorder, record.field(7, note="edge", warnings=("dark",), um_per_px=0.25), picture=True)
    told = recorder.store.session(session)
    assert (told.name, told.state, told.fields, told.cells) == ("Anna's slide", "recording", 1, 5)
    assert told.counted == record.counts
    assert (told.um_per_px, told.settings) == (0.1, {"mode": "automatic", "target_ms": 40.0})
    (field,) = recorder.store.fields(session)
    assert (field.id, field.kind, field.counts, field.in_frame) == (number, "tallied", record.counts, record.counts)
    assert field.visible == {1: 1, 2: 4, 3: 1}
    assert (field.position_px, field.area, field.note, field.warnings) == ((70.0, 0.0), 1.0, "edge", ("dark",))
    assert field.um_per_px == 0.25  # the camera's own rules
    assert (field.model.setting, field.model.engine, field.model.precision) == ("tol1e-3", "openvino", "bf16")
    cells = recorder.store.cells(session, number, number)
    assert cells[4] == (number, 2, 92.0, 60.0, 16.0, 16.0, 0.9, 0)


def test_every_solver_setting_that_counted_is_told_with_its_fields(recorder, record, kept):
    session = recorder.begin(record.facts())
    field = record.field()
    used = field.result.segmentation.model
    faster = record.field(used=dataclasses.replace(used, setting="tol1e-2"))
    for each in (field, faster, faster):
        kept(recorder, each)
    assert [(model.setting, model.fields) for model in recorder.store.models(session)] == [
        ("tol1e-2", 2),
        ("tol1e-3", 1),
    ]


def test_the_picture_opens_elsewhere_with_its_scale_and_unchanged(recorder, record, kept):
    session = recorder.begin(record.facts(um_per_px=0.08))
    field = record.field()
    number = kept(recorder, field, picture=True)
    path = recorder.store.places.picture(session, number)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert 'PhysicalSizeX="0.08" PhysicalSizeXUnit="µm"' in file.ome_metadata
        # For programs that read no OME: pixels per centimetre.
        resolution = file.pages[0].tags["XResolution"].value
        assert resolution[0] / resolution[1] == pytest.approx(125_000)
        assert file.pages[0].tags["ResolutionUnit"].value == 3
        assert (cv2.cvtColor(file.asarray(), cv2.COLOR_RGB2BGR) == field.result.frame.pixels).all()
    decoded = cv2.imdecode(np.frombuffer(recorder.store.picture(session, number), np.uint8), cv2.IMREAD_COLOR)
    assert (decoded == field.result.frame.pixels).all()
    mask = cv2.imdecode(np.frombuffer(recorder.store.picture(session, number, "mask"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert (mask == field.result.segmentation.class_ids).all()
    assert recorder.store.picture(session, number, "overlay").startswith(b"\x89PNG")


def test_without_a_known_scale_none_is_written(recorder, record, kept):
    session = recorder.begin(record.facts(um_per_px=None))
    number = kept(recorder, picture=True)
    with tifffile.TiffFile(recorder.store.places.picture(session, number)) as file:
        assert "PhysicalSize" not in file.ome_metadata


def test_pictures_can_be_turned_off_for_the_tally_but_not_for_what_a_person_asked_for(recorder, record, kept):
    session = recorder.begin(record.facts())
    recorder.keep_pictures(False)
    kept(recorder, record.field(1), picture=True)
    kept(recorder, record.field(2, "snapshot"), picture=True)
    assert [field.picture for field in recorder.store.fields(session)] == [False, True]
    assert recorder.status().state == "recording"
    assert not recorder.status().keeps_pictures


def test_snapshots_and_fields_counted_by_hand_do_not_change_the_tally(recorder, record, kept):
    session = recorder.begin(record.facts())
    for kind in ("tallied", "snapshot", "counted"):
        kept(recorder, record.field(kind=kind))
    told = recorder.store.session(session)
    assert (told.counted, told.area, told.fields, told.by_hand) == (record.counts, 1.0, 3, False)


def test_a_session_of_fields_counted_by_hand_sums_them_up(recorder, record, kept):
    session = recorder.begin(record.facts())
    for kind in ("counted", "counted", "snapshot"):
        kept(recorder, record.field(kind=kind))
    told = recorder.store.session(session)
    assert (told.by_hand, told.cells, told.area) == (True, 10, 2.0)


def test_nothing_is_kept_while_no_session_is_open(recorder, record, kept):
    with pytest.raises(OutputError, match="start a tally"):
        recorder.keep(record.field(), picture=False)
    recorder.begin(record.facts())
    recorder.finish()
    with pytest.raises(OutputError, match="start a tally"):
        recorder.keep(record.field(), picture=False)


def test_a_new_session_finishes_the_one_before(recorder, record, kept):
    first = recorder.begin(record.facts("first"))
    kept(recorder)
    second = recorder.begin(record.facts("second"))
    record.wait_until(lambda: len(recorder.store.sessions()) == 2)
    assert [(told.id, told.state) for told in recorder.store.sessions()] == [(second, "recording"), (first, "finished")]
    assert re.fullmatch(r"[0-9A-Za-z-]+", second)


def test_events_of_the_session_are_kept_with_their_figures(recorder, record, kept, log):
    log.add("camera", "Before any session.")
    session = recorder.begin(record.facts())
    log.add("governor", "Stepped down.", setting="tol1e-2", milliseconds=41.5)
    kept(recorder)
    record.wait_until(lambda: len(recorder.store.events(session)) == 1)
    (event,) = recorder.store.events(session)
    assert (event.kind, event.message) == ("governor", "Stepped down.")
    assert event.details == {"setting": "tol1e-2", "milliseconds": 41.5}


def test_a_tally_that_was_cut_off_can_be_gone_on_with(recorders, record, kept, stop):
    first = recorders()
    first.start()
    session = first.begin(record.facts("Slide 9"))
    kept(first)
    kept(first)
    assert first.interrupted() is None  # it is being recorded
    assert stop(first)
    again = recorders()
    again.start()
    interrupted = again.interrupted()
    assert (interrupted.session, interrupted.name, interrupted.fields) == (session, "Slide 9", 2)
    assert interrupted.counted == {class_id: 2 * count for class_id, count in record.counts.items()}
    assert interrupted.area == 2.0
    assert interrupted.classes == {1: "white_cell", 2: "red_cell", 3: "platelet"}
    again.proceed(session)
    assert kept(again) == 3
    assert again.store.session(session).state == "recording"
    again.finish()
    record.wait_until(lambda: again.store.session(session).state == "finished")
    assert again.store.session(session).cells == 15
    assert again.interrupted() is None
    seconds = [field.seconds for field in again.store.fields(session)]
    assert seconds == sorted(seconds)


def test_what_is_finished_recorded_or_unknown_cannot_be_gone_on_with(recorders, recorder, record, kept, stop):
    session = recorder.begin(record.facts())
    kept(recorder)
    other = recorders()
    other.start()
    with pytest.raises(OutputError, match="not interrupted"):
        other.proceed(session)
    with pytest.raises(UnknownNameError, match="no session"):
        other.proceed("20200101-000000-abcdef")
    recorder.finish()
    record.wait_until(lambda: recorder.store.session(session).state == "finished")
    with pytest.raises(OutputError, match="not interrupted"):
        recorder.proceed(session)


def test_an_older_interrupted_session_is_not_offered_once_another_was_finished(recorder, recorders, record, kept, stop):
    recorder.begin(record.facts("old"))
    kept(recorder)
    assert stop(recorder)
    again = recorders()
    again.start()
    assert again.interrupted().name == "old"
    session = again.begin(record.facts("new"))
    kept(again)
    again.finish()
    record.wait_until(lambda: again.store.session(session).state == "finished")
    assert again.interrupted() is None


def test_two_recorders_share_a_store_and_do_not_take_each_others_sessions_for_interrupted(recorders, record, kept):
    one, two = recorders(), recorders()
    one.start()
    two.start()
    first, second = one.begin(record.facts("one")), two.begin(record.facts("two"))
    for _ in range(5):
        one.keep(record.field(), picture=True)
        two.keep(record.field(), picture=True)
    kept(one)
    kept(two)
    assert {told.id: (told.state, told.fields) for told in one.store.sessions()} == {
        first: ("recording", 6),
        second: ("recording", 6),
    }


def test_a_wall_clock_that_jumps_changes_neither_order_nor_length(recorder, record, kept, monkeypatch):
    session = recorder.begin(record.facts("before"))
    past = datetime(2001, 1, 1, tzinfo=timezone.utc)
    moments = iter([past + timedelta(days=365), past])

    class JumpingClock(datetime):
        @classmethod
        def now(cls, tz=None):  # noqa: ARG003
            return next(moments, past)

    for at in (datetime.now(timezone.utc), past):
        kept(recorder, dataclasses.replace(record.field(), at=at))
    monkeypatch.setattr(session_module, "datetime", JumpingClock)
    later = recorder.begin(record.facts("after"))
    kept(recorder)
    first, second = recorder.store.fields(session)
    assert second.at == past  # recorded as it was
    assert 0 <= first.seconds <= second.seconds
    told = recorder.store.sessions()
    assert [each.id for each in told] == [later, session]
    assert told[0].started.year == 2001
    assert told[1].seconds >= 0


def test_keeping_a_field_does_not_wait_for_the_disk(recorder, record, monkeypatch):
    from hemonode.runtime.record import writer

    monkeypatch.setattr(writer, "write_pair", lambda *_: time.sleep(0.4) or 1)
    recorder.begin(record.facts())
    began = time.monotonic()
    for sequence in range(20):
        recorder.keep(record.field(sequence), picture=True)
    assert time.monotonic() - began < 0.4
    # More pictures wait than memory is given for them: they are let go, and it is told; no count is.
    assert "too slow" in recorder.status().message


def test_a_stop_in_the_middle_writes_what_waits(recorder, record, stop):
    session = recorder.begin(record.facts())
    for sequence in range(200):
        recorder.keep(record.field(sequence), picture=False)
    assert stop(recorder)
    assert recorder.store.session(session).fields == 200


def test_the_store_is_plain_sqlite_for_other_programs(recorder, record, kept):
    recorder.begin(record.facts())
    kept(recorder)
    connection = sqlite3.connect(recorder.store.places.database)
    rows = connection.execute(
        "SELECT name, sum(counted) FROM counts JOIN classes ON class = id GROUP BY class"
    ).fetchall()
    assert rows == [("white_cell", 1), ("red_cell", 3), ("platelet", 1)]
    (errors,) = connection.execute("SELECT block_errors FROM fields").fetchone()
    assert json.loads(errors) == [0.25, 0.5]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_store_that_was_never_written_holds_nothing(tmp_path):
    store = SessionStore(tmp_path / "nowhere")
    assert store.sessions() == ()
    assert store.interrupted() is None
    with pytest.raises(UnknownNameError, match="no session"):
        store.fields("../../etc")
    assert not (tmp_path / "nowhere").exists()


def test_a_picture_is_asked_for_only_by_what_is_in_the_store(finished_session):
    store, session = finished_session
    with pytest.raises(UnknownNameError, match="not there"):
        store.picture(session, 99)
    with pytest.raises(UnknownNameError, match="without its picture"):
        store.picture(session, 3)
    with pytest.raises(UnknownNameError, match="no session"):
        store.picture(f"../pictures/{session}", 1)
    store.places.picture(session, 1).unlink()
    with pytest.raises(OutputError, match="cannot be read"):
        store.picture(session, 1)


def test_whoever_was_told_of_a_field_can_ask_for_it_at_once(recorder, record):
    session = recorder.begin(record.facts())
    for _ in range(5):
        number = recorder.keep(record.field(), picture=True)
        assert recorder.store.picture(session, number).startswith(b"\x89PNG")
