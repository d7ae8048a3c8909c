"""Each cell of the slide is counted once, wherever the view goes."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.runtime.tally import keyframes
from hemonode.runtime.tally.census import inset_px
from hemonode.runtime.tally.coverage import inside_any
from hemonode.runtime.tally.keyframes import covered_part

ROWS = [(x, y) for row, y in enumerate(range(0, 500, 130)) for x in list(range(0, 760, 65))[:: -1 if row % 2 else 1]]


def true_counts(slide, fields, known, begun_at=(0, 0)):
    """Cells whose centre lies in what the fields cover, where they lay by the tally's own account."""
    inset = inset_px(known.size, known.red_cell_px)
    parts = np.array([covered_part(np.add(field.position_px, begun_at), known.size, inset) for field in fields])
    centres = np.array([(cell.x, cell.y) for cell in slide.cells])
    inside = inside_any(centres, parts)
    ids = np.array([cell.class_id for cell in slide.cells])
    return {number: int((inside & (ids == number)).sum()) for number in (1, 2, 3)}


def misjudged(counted, true):
    """Cells that were counted twice or left out. One or two on the very edge of what is covered may be."""
    return sum(abs(counted[number] - true[number]) for number in true)


def test_a_scan_in_overlapping_rows_counts_each_cell_once(slide, new_tally, known):
    tally = new_tally()
    states = tally.look(slide, *ROWS)
    tally.survey.finish()
    assert set(states) == {"counting"}
    assert sum(tally.counted.values()) > 200
    assert misjudged(tally.counted, true_counts(slide, tally.fields, known)) <= 2


def test_every_place_is_covered_whatever_frames_are_skipped(slide, new_tally, known):
    kept = np.random.default_rng(5).random(len(ROWS)) < 0.6
    tally = new_tally()
    seen = [corner for corner, keep in zip(ROWS, kept, strict=True) if keep]
    tally.look(slide, *seen)
    tally.survey.finish()
    assert misjudged(tally.counted, true_counts(slide, tally.fields, known, seen[0])) <= 2


def test_going_over_the_same_ground_again_adds_nothing(slide, new_tally):
    tally = new_tally()
    tally.look(slide, *ROWS[:20], *ROWS[19::-1])
    tally.survey.pause(None)
    cells, fields = tally.survey.status().cells, tally.survey.status().fields
    tally.survey.resume()
    tally.look(slide, *ROWS[:20])
    tally.survey.finish()
    assert tally.survey.status().fields < 1.03 * fields
    assert tally.survey.status().cells < 1.03 * cells


def test_a_view_that_rests_is_counted_at_once_and_only_once(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200), times=20)
    assert len(tally.fields) == 1
    assert sum(tally.counted.values()) == sum(tally.fields[0].counts.values()) > 10


def test_a_small_move_is_counted_when_the_view_rests(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200))
    tally.look(slide, (340, 200), times=4)
    assert len(tally.fields) == 1
    tally.look(slide, (340, 200), times=5)
    assert len(tally.fields) == 2


def test_little_is_lost_at_the_end(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200), (340, 200))
    assert len(tally.fields) == 1
    tally.survey.finish()
    assert len(tally.fields) == 2
    assert tally.survey.status().state == "off"


def test_fields_add_up_to_the_tally(slide, new_tally):
    tally = new_tally()
    tally.look(slide, *ROWS[:30])
    tally.survey.finish()
    status = tally.survey.status()
    assert status.fields == pytest.approx(sum(field.area for field in tally.fields), abs=1e-3)
    for entry in status.classes:
        assert entry.counted == sum(field.counts[entry.id] for field in tally.fields)
        assert entry.per_field.low < entry.counted / status.fields < entry.per_field.high
    assert status.trend[-1].counted == tally.counted


def test_a_jump_is_not_counted_and_the_way_back_is_found(slide, other_slide, new_tally):
    tally = new_tally()
    tally.look(slide, (0, 0), (80, 0), (160, 0))
    fields = len(tally.fields)
    assert tally.look(other_slide, (20, 20), (30, 20), (60, 30)) == ["lost"] * 3
    status = tally.survey.status()
    assert status.refused == {"lost": 3}
    assert "New area" in status.message
    assert tally.look(slide, (90, 5), (120, 0), (260, 0))[-1] == "counting"
    assert len(tally.fields) > fields
    assert tally.fields[-1].position_px == pytest.approx((260, 0), abs=2)


def test_a_place_counted_long_ago_is_found_again(slide, other_slide, new_tally):
    tally = new_tally()
    tally.look(slide, *ROWS)
    tally.look(other_slide, (20, 20), times=2)
    states = tally.look(slide, (0, 0), times=12)
    assert states[-1] == "counting"


def test_a_new_area_goes_on_without_the_way_there(slide, other_slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200))
    tally.look(other_slide, (20, 20))
    tally.survey.new_area()
    assert tally.look(other_slide, (20, 20), (100, 60)) == ["counting"] * 2
    assert tally.fields[0].position_px is not None
    assert tally.fields[-1].position_px is None
    assert len(tally.fields) >= 2


def test_a_new_area_that_runs_into_an_old_one_joins_it(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (0, 0), (100, 0), (200, 0))
    tally.survey.new_area()
    tally.look(slide, (780, 0), (700, 0), (600, 0), (500, 0), (400, 0), (300, 0))
    tally.look(slide, (200, 0), times=6)
    counted = sum(tally.counted.values())
    tally.look(slide, (100, 0), (0, 0), times=10)
    assert any("counted twice" in event.message for event in tally.log.after())
    assert sum(tally.counted.values()) <= counted + 2


def test_an_interrupted_tally_goes_on_with_what_it_had(slide, new_tally):
    tally = new_tally(counted={1: 30, 2: 500}, fields=12.5)
    tally.look(slide, (300, 200))
    tally.survey.finish()
    assert tally.counted[1] >= 30
    assert tally.counted[2] > 500
    assert tally.survey.status().fields > 12.5
    assert tally.fields[0].position_px is None


def test_another_lens_pauses_the_tally_and_says_so(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200))
    assert tally.look(slide, (300, 200), red_cell_px=60.0) == ["paused"]
    assert "scale" in tally.survey.status().message
    tally.survey.resume()
    assert tally.look(slide, (300, 200), red_cell_px=60.0) == ["counting"]


def test_a_map_that_is_full_says_so(slide, new_tally, monkeypatch):
    monkeypatch.setattr(keyframes, "MOST_KEYFRAMES", 3)
    tally = new_tally()
    states = tally.look(slide, *ROWS)
    assert states[-1] == "full"
    assert len(tally.fields) == 3
    assert "start another" in tally.survey.status().message
    tally.survey.finish()
    assert tally.survey.status().state == "off"
