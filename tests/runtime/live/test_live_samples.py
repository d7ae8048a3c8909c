"""A whole live view without a page: which samples can be gone on with, and what is not there to be set."""

from __future__ import annotations

import pytest

from hemonode.errors import UnknownNameError
from hemonode.runtime.live.assembly import assemble
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.desk import Desk
from hemonode.runtime.live.session import LiveSession
from hemonode.runtime.live.view import TallyWish


@pytest.fixture
def lab(tmp_path, standins):
    """A live view of the simulated microscope, started: its desk, and what stops it."""
    config = LiveConfig.model_validate(
        {"source": [{"source": "simulated:rate=5"}], "recorder": {"folder": tmp_path, "reserve_gb": 0.0}}
    )
    parts = assemble(config)
    session = LiveSession(parts)
    session.start()
    standins.wait_until(lambda: parts.pipeline.results > 0, timeout_s=60)
    # An engine that is being opened in the background may take longer than a stop waits.
    yield Desk(parts), lambda: standins.wait_until(session.stop)
    standins.wait_until(session.stop)
    session.close()


def test_fields_counted_by_hand_are_finished_with_the_view_and_a_tally_can_be_gone_on_with(lab):
    desk, stop = lab
    counted = desk.count_field()
    with pytest.raises(UnknownNameError, match=r"has no control 'colour'; it has .*gain_db"):
        desk.set_control("colour", value=1.0)
    desk.tally(TallyWish("start", "Ward 7"))
    desk.tally(TallyWish("finish"))
    last = desk.count_field().session
    assert last != counted.session
    stop()
    assert [kept.state for kept in desk.store.sessions()] == ["finished", "finished", "finished"]


def test_a_tally_that_ran_when_the_view_stopped_can_be_gone_on_with(lab):
    desk, stop = lab
    desk.tally(TallyWish("start", "Ward 8"))
    stop()
    assert [kept.state for kept in desk.store.sessions()] == ["interrupted"]
