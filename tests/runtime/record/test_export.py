"""A session as a file: tables that other programs read, and a report that a person does."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from html.parser import HTMLParser

import pytest

from hemonode.errors import OutputError
from hemonode.runtime.tally.intervals import rate_interval, share_interval


def exported(store, session, file_format):
    pieces, media_type, name = store.export(session, file_format)
    return b"".join(pieces), media_type, name


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_csv_has_a_row_for_each_field_with_the_columns_of_hemonode_run(finished_session):
    store, session = finished_session
    data, media_type, name = exported(store, session, "csv")
    assert (media_type, name) == ("text/csv; charset=utf-8", f"Tuesday-3-{session}.csv")
    first, second, third = rows(data)
    assert list(first)[:4] == ["image", "white_cell", "red_cell", "platelet"]
    assert (first["white_cell"], first["red_cell"], first["platelet"]) == ("1", "4", "1")
    assert (first["white_cell_in"], first["red_cell_in"], first["red_cell_counted"]) == ("1", "3", "3")
    assert (first["setting"], first["engine"], first["um_per_px"]) == ("tol1e-3", "openvino", "0.1")
    assert (store.places.folder / first["file"]).is_file()
    assert (second["warnings"], third["file"]) == ("out of focus", "")
    assert third["note"] == "'=1+1"  # a spreadsheet would compute it


def test_cells_lie_where_they_were_found(finished_session):
    store, session = finished_session
    found = rows(exported(store, session, "cells")[0])
    assert len(found) == 3 * 6
    assert found[0] == {
        "image": f"{session}-000001", "class": "white_cell", "x": "20.0", "y": "20.0", "width": "16.0",
        "height": "16.0", "score": "0.9", "in_frame": "1",
    }  # fmt: skip


def test_the_summary_gives_each_class_with_its_intervals(finished_session):
    store, session = finished_session
    white, red, _ = rows(exported(store, session, "summary")[0])
    assert (white["counted"], white["cells"], red["counted"], red["fields"]) == ("3", "15", "9", "3.0")
    share, rate = share_interval(9, 15), rate_interval(9, 3.0)
    assert float(red["share_low"]) == pytest.approx(share.low, abs=1e-5)
    assert float(red["share_high"]) == pytest.approx(share.high, abs=1e-5)
    assert float(red["per_field_high"]) == pytest.approx(rate.high, abs=1e-4)


def test_parquet_holds_fields_with_their_cells_typed(finished_session):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install 'hemonode[parquet]'")
    store, session = finished_session
    data, media_type, name = exported(store, session, "parquet")
    assert (media_type, name.endswith(".parquet")) == ("application/vnd.apache.parquet", True)
    table = parquet.read_table(io.BytesIO(data))
    assert table.num_rows == 3
    assert table["red_cell_counted"].to_pylist() == [3, 3, 3]
    assert str(table.schema.field("taken").type) == "timestamp[ms, tz=UTC]"
    first = table["cells"].to_pylist()[0]
    assert (len(first), first[0]["class"], first[0]["x"]) == (6, "white_cell", 20.0)
    assert json.loads(table.schema.metadata[b"hemonode"])["sample"] == "Tuesday 3"


def test_parquet_says_what_to_install(finished_session, monkeypatch):
    store, session = finished_session
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OutputError, match=r"pip install 'hemonode\[parquet\]'"):
        store.export(session, "parquet")


class Page(HTMLParser):
    """The page's text, its pictures, and everything that it would load from elsewhere."""

    def __init__(self, source):
        super().__init__()
        self.text, self.pictures, self.loads = "", 0, []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        source = dict(attrs).get("src") or dict(attrs).get("href") or ""
        if tag == "img" and source.startswith("data:image/jpeg;base64,"):
            self.pictures += 1
        elif source or tag in ("script", "link", "iframe", "object"):
            self.loads.append((tag, source))

    def handle_data(self, data):
        self.text += data


def test_the_report_tells_figures_with_n_and_intervals_and_where_they_come_from(finished_session):
    store, session = finished_session
    data, _, name = exported(store, session, "html")
    page = Page(data.decode())
    assert name.endswith(".html")
    assert (page.pictures, page.loads) == (2, [])
    share = share_interval(9, 15)
    for text in (
        "Tuesday 3", "not a diagnostic device", "n = 15 cells", "60.0 %", f"{100 * share.low:.1f} to",
        "out of focus", "tol1e-3", "OpenVINO 2026.4", "bf16", 64 * "a", "USB camera", "0.1 µm/px", session,
    ):  # fmt: skip
        assert text in page.text, text


def test_what_a_person_wrote_cannot_become_part_of_the_page(recorder, record, kept):
    nasty = "<script>alert(1)</script>&\"'"
    session = recorder.begin(record.facts(nasty, settings={nasty: nasty}))
    kept(recorder, record.field(note=nasty, warnings=(nasty,)), picture=True)
    data, _, name = exported(recorder.store, session, "html")
    page = Page(data.decode())
    assert page.loads == []
    assert nasty in page.text
    assert re.fullmatch(r"[0-9A-Za-z.-]+", name)


def test_a_report_of_nothing_says_so(recorder, record, kept):
    session = recorder.begin(record.facts())
    kept(recorder, record.field(kind="snapshot"))
    page = Page(exported(recorder.store, session, "html")[0].decode())
    assert "No cell was counted" in page.text


def test_a_report_of_a_cut_off_session_says_so(recorder, record, kept, stop):
    session = recorder.begin(record.facts())
    kept(recorder)
    assert stop(recorder)
    assert "was interrupted" in Page(exported(recorder.store, session, "html")[0].decode()).text


def test_a_session_can_be_exported_while_it_is_recorded(recorder, record):
    session = recorder.begin(record.facts())
    counted = []
    for sequence in range(120):
        recorder.keep(record.field(sequence), picture=False)
        if sequence % 30 == 29:
            counted.append(len(rows(exported(recorder.store, session, "csv")[0])))
    assert counted == sorted(counted)
    record.wait_until(lambda: recorder.status().waiting == 0)
    assert len(rows(exported(recorder.store, session, "csv")[0])) == 120


def test_classes_have_the_names_that_a_person_reads(finished_session):
    store, session = finished_session
    labels = [entry.label for entry in store.session(session).classes]
    assert labels[-3:] == ["White cells", "Red cells", "Platelets"]
    assert set(labels[:-3]) <= {"Background"}
