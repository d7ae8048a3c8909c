"""The tally beside the pipeline: never in its way, and clear about what can be done when."""

from __future__ import annotations

import threading
import time

import pytest

from hemonode.errors import HemonodeError
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.tally.keeper import TallyKeeper

# Numbers of pictures that were taken after anything that a test asks for: ten a second, an hour ahead.
FROM_NOW_ON = round(10 * (time.monotonic() + 3600))


@pytest.fixture
def kept():
    return []


@pytest.fixture
def keeper(classes, kept):
    keeper = TallyKeeper(classes, EventLog(), FaultLog(), kept.append)
    keeper.start()
    yield keeper
    keeper.request_stop()
    assert keeper.join(time.monotonic() + 2)


@pytest.fixture
def show(slide, standins):
    """Shows a result and waits until the keeper looked at it."""

    def show(keeper, x, y, number):
        seen = []
        number += FROM_NOW_ON
        consider = keeper._consider
        keeper._consider = lambda result: (consider(result), seen.append(result))
        keeper.accept(slide.result(x, y, number))
        standins.wait_until(lambda: seen)
        keeper._consider = consider

    return show


def test_before_a_tally_there_is_quality_and_a_live_count(keeper, show):
    assert keeper.quality() is None
    show(keeper, 300, 200, 0)
    assert keeper.quality() is not None
    assert {count.id for count in keeper.counts()} == {1, 2, 3}
    status = keeper.status()
    assert (status.state, status.cells, status.goal_cells) == ("off", 0, 384)


def test_a_tally_from_start_to_end(keeper, show, kept):
    keeper.begin("Sample 1", goal_percent=25, goal_class=2)
    show(keeper, 300, 200, 0)
    status = keeper.status()
    assert (status.state, status.name, status.goal_cells) == ("counting", "Sample 1", 61)
    assert status.cells == sum(kept[0].counts.values()) > 0
    assert status.progress == pytest.approx(kept[0].counts[2] / 61)
    keeper.finish()
    after = keeper.status()
    assert (after.state, after.cells) == ("off", status.cells)
    show(keeper, 500, 300, 9)
    assert keeper.status().cells == status.cells


def test_nothing_is_counted_while_paused(keeper, show, kept):
    keeper.begin("sample")
    show(keeper, 0, 0, 0)
    keeper.pause()
    show(keeper, 200, 0, 1)
    assert (keeper.status().state, len(kept)) == ("paused", 1)
    keeper.resume()
    show(keeper, 200, 0, 2)
    assert (keeper.status().state, len(kept)) == ("counting", 2)


def test_a_new_tally_ends_the_one_before(keeper, show, kept):
    keeper.begin("first")
    show(keeper, 0, 0, 0)
    keeper.begin("second")
    assert (keeper.status().name, keeper.status().cells) == ("second", 0)
    show(keeper, 0, 0, 1)
    assert kept[0].counts == kept[1].counts


def test_another_camera_pauses_and_resume_starts_on_new_ground(keeper, show, kept):
    keeper.begin("sample")
    show(keeper, 0, 0, 0)
    keeper.source_changed()
    assert keeper.status().state == "paused"
    assert "camera" in keeper.status().message
    assert (keeper.quality(), keeper.counts()) == (None, ())
    keeper.resume()
    show(keeper, 0, 0, 1)
    assert len(kept) == 2
    assert kept[1].position_px is None


def test_a_picture_of_the_old_camera_that_was_in_work_counts_for_nothing(keeper, kept, slide, standins):
    keeper.begin("first slide")
    keeper.source_changed()
    keeper.begin("second slide")
    keeper.accept(slide.result(0, 0, number=1))
    standins.wait_until(lambda: keeper._results.empty)
    time.sleep(0.1)
    assert (keeper.counts(), keeper.quality(), kept) == ((), None, [])


def test_an_ended_tally_stays_ended(keeper, show, classes):
    keeper.begin("sample")
    show(keeper, 0, 0, 0)
    keeper.finish()
    keeper.source_changed()
    keeper.renew(classes[:3])
    keeper.pause()
    assert keeper.status().state == "off"


def test_a_model_with_other_classes_cannot_go_on(keeper, show, classes):
    keeper.begin("sample")
    show(keeper, 0, 0, 0)
    keeper.renew(classes)
    assert keeper.status().state == "counting"
    keeper.renew(classes[:3])
    assert keeper.status().state == "paused"
    with pytest.raises(HemonodeError, match="other classes"):
        keeper.resume()
    keeper.begin("next")
    assert [entry.id for entry in keeper.status().classes] == [1, 2]


@pytest.mark.parametrize("action", ["resume", "new_area"])
def test_what_needs_a_tally_says_so(keeper, action):
    with pytest.raises(HemonodeError, match="start one"):
        getattr(keeper, action)()
    keeper.pause()
    keeper.finish()
    assert keeper.status().state == "off"


@pytest.mark.parametrize("goal", [{"goal_percent": 0.0}, {"goal_percent": 1e9}, {"goal_class": 77}, {"goal_class": 0}])
def test_a_goal_that_makes_no_sense_is_refused_and_the_tally_goes_on(keeper, show, goal):
    keeper.begin("sample")
    show(keeper, 0, 0, 0)
    with pytest.raises(HemonodeError):
        keeper.begin("other", **goal)
    assert (keeper.status().name, keeper.status().state) == ("sample", "counting")


def test_a_goal_of_the_configuration_that_the_model_does_not_count_is_refused(classes):
    with pytest.raises(HemonodeError, match="can aim at 1 white_cell, 2 red_cell, 3 platelet"):
        TallyKeeper(classes, EventLog(), FaultLog(), lambda _: None, goal_class=77)


def test_a_model_without_the_class_of_the_goal_changes_the_goal_and_says_so(classes):
    log = EventLog()
    keeper = TallyKeeper(classes, log, FaultLog(), lambda _: None, goal_class=3)
    keeper.renew([record for record in classes if record.id != 3])
    assert keeper.status().goal_class == 1
    assert log.after(0)[-1].message.endswith("they aim at white_cell now.")


def test_a_slow_tally_never_holds_up_the_pipeline(classes, slide):
    keeper = TallyKeeper(classes, EventLog(), FaultLog(), lambda _: time.sleep(0.5))
    keeper.start()
    keeper.begin("sample")
    result = slide.result(0, 0)
    started = time.monotonic()
    for _ in range(200):
        keeper.accept(result)
    assert time.monotonic() - started < 0.4
    keeper.request_stop()
    assert keeper.join(time.monotonic() + 2)


def test_a_tally_that_cannot_keep_up_still_says_how_it_stands(keeper, slide, monkeypatch):
    monkeypatch.setattr(keeper._quality, "judge", lambda _: time.sleep(0.1))
    result, shown = slide.result(0, 0), threading.Event()

    def show_on():
        while not shown.wait(0.001):
            keeper.accept(result)

    showing = threading.Thread(target=show_on)
    showing.start()
    time.sleep(0.2)
    started = time.monotonic()
    for _ in range(5):
        keeper.status()
    took_s = time.monotonic() - started
    shown.set()
    showing.join()
    assert took_s < 2, "each waits for the picture in work, not for a chance"


def test_a_fault_in_one_picture_is_told_and_the_tally_goes_on(classes, slide, standins, kept):
    faults = FaultLog()
    failing = [True]

    def keep(field):
        if failing:
            failing.clear()
            raise OSError("no space left on device")
        kept.append(field)

    keeper = TallyKeeper(classes, EventLog(), faults, keep)
    keeper.start()
    keeper.begin("sample")
    keeper.accept(slide.result(0, 0, 0))
    standins.wait_until(lambda: faults.count("tally"))
    assert "no space" in faults.recent()[0].message
    keeper.accept(slide.result(200, 0, 1))
    standins.wait_until(lambda: kept)
    keeper.request_stop()
    assert keeper.join(time.monotonic() + 2)
    assert keeper.status().cells > sum(kept[0].counts.values())


def test_live_counts_hold_steady_when_one_picture_is_misjudged(classes, slide):
    keeper = TallyKeeper(classes, EventLog(), FaultLog(), lambda _: None)
    for number in range(9):
        keeper.accept(slide.result(300, 200, number))
    steady = {count.id: count.smoothed for count in keeper.counts()}
    keeper.accept(slide.result(300, 520, 9))
    assert {count.id: count.smoothed for count in keeper.counts()} == steady
    for number in range(10, 25):
        keeper.accept(slide.result(300, 520, number))
    assert {count.id: count.smoothed for count in keeper.counts()} == {c.id: c.in_frame for c in keeper.counts()}


def test_a_tally_that_goes_on_is_not_said_to_begin(classes):
    log = EventLog()
    keeper = TallyKeeper(classes, log, FaultLog(), lambda _: None)
    keeper.begin("Sample 1", goal_percent=25, goal_class=2)
    keeper.begin("Sample 1", goal_percent=25, goal_class=2, counted={2: 7}, area=0.4)
    told = [event.message for event in log.after(0)]
    assert told[0] == "The tally of Sample 1 began."
    assert "The tally of Sample 1 goes on." in told
    # Where the slide lies after a restart nobody knows: what is in view may be counted already.
    assert keeper.status().state == "paused"
    assert "not counted yet" in keeper.status().message
    keeper.resume()
    assert keeper.status().state == "counting"
