"""`hemonode sessions` as a person uses it."""

from __future__ import annotations

import csv
import io
import json


def test_an_empty_store_says_where_sessions_would_go(sessions, tmp_path):
    status, out, _ = sessions("list")
    assert status == 0
    assert "Nothing has been recorded yet" in out
    assert str(tmp_path / "store") in out.replace("\n", "")
    assert json.loads(sessions("list", "--json")[1]) == []
    assert not (tmp_path / "store").exists()


def test_the_last_session_of_an_empty_store_is_told_as_none(sessions):
    status, _, errors = sessions("show", "last")
    assert (status, "nothing has been recorded yet" in errors) == (1, True), errors


def test_sessions_are_listed_newest_first_with_those_cut_off_marked(recorders, record, kept, stop, sessions):
    recorder = recorders()
    recorder.start()
    for name in ("first", "second"):
        recorder.begin(record.facts(name))
        kept(recorder)
    assert stop(recorder)
    status, out, _ = sessions("list")
    assert status == 0
    assert out.index("second") < out.index("first")
    assert [told["state"] for told in json.loads(sessions("list", "--json")[1])] == ["interrupted", "finished"]


def test_a_session_is_shown_with_intervals_and_what_computed_it(finished_session, sessions):
    _, session = finished_session
    status, out, _ = sessions("show", session)
    assert status == 0
    for text in ("Tuesday 3: finished", "red cell", "60.00", "tol1e-3", "out of focus", "research use"):
        assert text in out, text
    told = json.loads(sessions("show", "last", "--json")[1])
    assert (told["id"], told["figures"][1]["counted"], told["models"][0]["fields"]) == (session, 9, 3)


def test_an_unknown_or_doubtful_id_is_a_sentence(finished_session, recorder, record, kept, sessions):
    _, session = finished_session
    for words in (("show", "nothing"), ("export", "../.."), ("delete", "nothing", "--yes")):
        status, _, errors = sessions(*words)
        assert (status, "there is no session" in errors) == (1, True), errors
    recorder.begin(record.facts())
    kept(recorder)
    assert "2 sessions begin with" in sessions("show", session[:4])[2]
    assert sessions("show", session[:-1])[0] == 0


def test_a_session_is_exported_where_it_was_asked_for(finished_session, sessions, tmp_path):
    _, session = finished_session
    assert sessions("export", session, "-o", "tuesday.csv")[0] == 0
    with (tmp_path / "tuesday.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
    status, _, errors = sessions("export", session, "-o", "tuesday.csv")
    assert (status, "--overwrite" in errors) == (1, True)
    assert sessions("export", session, "-o", "tuesday.csv", "--overwrite")[0] == 0
    assert sessions("export", session, "--format", "html", "--format", "summary", "-o", "all")[0] == 0
    names = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert names == [f"Tuesday-3-{session}-summary.csv", f"Tuesday-3-{session}.html"]
    status, _, errors = sessions("export", session, "--format", "html", "--format", "csv", "-o", "one.html")
    assert (status, "name a folder" in errors) == (1, True)
    status, _, errors = sessions("export", session, "-o", "nowhere/at/all.csv")
    assert (status, "cannot write" in errors) == (1, True)
    assert not list(tmp_path.glob(".*.partial"))
    before = sorted(tmp_path.iterdir())
    status, out, _ = sessions("export", session, "-o", "-")
    assert (status, len(list(csv.DictReader(io.StringIO(out))))) == (0, 3)
    status, _, errors = sessions("export", session, "--format", "html", "--format", "csv", "-o", "-")
    assert (status, "name a folder" in errors) == (1, True)
    assert sorted(tmp_path.iterdir()) == before


def test_a_deleted_session_is_gone_with_its_pictures(finished_session, sessions):
    store, session = finished_session
    status, _, errors = sessions("delete", session)
    assert (status, "--yes" in errors) == (1, True)  # nobody was there to be asked
    assert store.session(session).fields == 3
    assert sessions("delete", session, "--yes")[0] == 0
    assert store.sessions() == ()
    assert not store.places.pictures(session).exists()


def test_pictures_alone_can_be_deleted(finished_session, sessions):
    store, session = finished_session
    assert sessions("delete", session, "--pictures-only", "--yes")[0] == 0
    told = store.session(session)
    assert (told.fields, told.cells, told.pictures) == (3, 15, 0)
    assert not list(store.places.folder.rglob("*.ome.tif"))


def test_a_session_that_is_recorded_cannot_be_deleted(recorder, record, kept, sessions):
    session = recorder.begin(record.facts())
    kept(recorder)
    status, _, errors = sessions("delete", session, "--yes")
    assert (status, "is being recorded" in errors) == (1, True)
    assert recorder.store.session(session).fields == 1


def test_a_damaged_store_is_a_sentence(finished_session, sessions):
    store, session = finished_session
    store.places.database.write_bytes(b"not a database" * 100)
    for words in (("list",), ("show", session), ("export", session), ("delete", session, "--yes")):
        status, _, errors = sessions(*words)
        assert (status, "is damaged" in errors) == (1, True), errors


def test_a_file_in_place_of_the_folder_is_a_sentence(sessions, tmp_path):
    (tmp_path / "store").write_text("a file")
    status, _, errors = sessions("list")
    assert (status, "is a file" in errors) == (1, True)
