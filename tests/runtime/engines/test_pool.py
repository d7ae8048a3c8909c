"""Engines for many frame sizes: few are kept open, and none is closed under a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines import open_engine
from hemonode.runtime.engines.contract import Engine
from hemonode.runtime.engines.pool import EnginePool


@pytest.fixture
def opened() -> list[Engine]:
    return []


@pytest.fixture
def open_for(colour_bundle: Bundle, opened: list[Engine]) -> Callable[[tuple[int, int, int]], Engine]:
    def open_it(shape: tuple[int, int, int]) -> Engine:
        opened.append(open_engine(colour_bundle, shape, engine="cpu", precision="fp32", threads=1))
        return opened[-1]

    return open_it


def still_open(engine: Engine) -> bool:
    try:
        engine.run(np.zeros((*engine.shape, 3), np.uint8))
    except EngineError:
        return False
    return True


def test_a_folder_of_many_sizes_keeps_few_engines_open(open_for, opened) -> None:
    pool = EnginePool(open_for)
    for width in range(128, 128 + 12 * 16, 16):
        with pool.using((1, 128, width)) as engine:
            assert engine.shape == (1, 128, width)
            assert pool.latest is engine
        with pool.using((1, 128, 128)) as engine:
            assert engine is opened[0]
    assert len(opened) == 12
    assert [still_open(engine) for engine in opened] == [True, False, False] + [True] * 9
    pool.close()
    assert not any(still_open(engine) for engine in opened)
    with pytest.raises(EngineError, match="closed"), pool.using((1, 128, 128)):
        pass


def test_an_engine_in_use_is_not_closed_however_many_sizes_come(open_for, opened) -> None:
    pool = EnginePool(open_for)
    with pool.using((1, 128, 128)) as used:
        for width in range(144, 144 + 12 * 16, 16):
            with pool.using((1, 128, width)):
                pass
        assert still_open(used)
    with pool.using((1, 128, 512)):
        assert not still_open(used)
    pool.close()


def test_callers_who_come_together_share_one_engine(open_for, opened) -> None:
    pool, together = EnginePool(open_for), threading.Barrier(4)

    def use() -> None:
        together.wait(30)
        with pool.using((1, 128, 128)) as engine:
            assert still_open(engine)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened) == 1
    pool.close()


def test_a_renewed_engine_takes_over_and_the_one_before_ends_after_its_last_run(open_for, opened) -> None:
    pool = EnginePool(open_for)
    with pool.using((1, 128, 128)) as before:
        pool.renew((1, 128, 128))
        with pool.using((1, 128, 128)) as after:
            assert after is opened[1]
            assert pool.latest is after
        assert still_open(before)
    assert not still_open(before)
    pool.close()
    assert not still_open(after)


def test_an_engine_that_cannot_be_renewed_stays(colour_bundle, open_for, opened) -> None:
    def fail_later(shape: tuple[int, int, int]) -> Engine:
        if opened:
            raise EngineError("no room")
        return open_for(shape)

    pool = EnginePool(fail_later)
    with pool.using((1, 128, 128)) as engine:
        pass
    with pytest.raises(EngineError, match="no room"):
        pool.renew((1, 128, 128))
    with pool.using((1, 128, 128)) as again:
        assert again is engine
        assert still_open(again)
    pool.close()


def test_while_an_engine_takes_minutes_to_open_the_one_before_can_still_be_told(open_for, opened) -> None:
    opening, go_on = threading.Event(), threading.Event()

    def slow(shape: tuple[int, int, int]) -> Engine:
        if opened:
            opening.set()
            assert go_on.wait(30)
        return open_for(shape)

    def use() -> None:
        with pool.using((1, 128, 144)):
            pass

    pool = EnginePool(slow)
    with pool.using((1, 128, 128)) as first:
        pass
    user = threading.Thread(target=use)
    user.start()
    assert opening.wait(30)
    assert pool.latest is first
    go_on.set()
    user.join(30)
    assert pool.latest is opened[1]
    pool.close()
    assert pool.latest is opened[1], "what was used can be told to who asks a moment late"


def test_an_engine_that_a_thread_never_leaves_is_left_to_it_and_closed_by_it_in_the_end(open_for, opened) -> None:
    pool, inside, go_on = EnginePool(open_for), threading.Event(), threading.Event()

    def never_comes_back() -> None:
        with pool.using((1, 128, 128)):
            inside.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=never_comes_back)
    thread.start()
    assert inside.wait(30)
    assert thread.ident is not None
    assert pool.give_up(thread.ident)
    assert not pool.give_up(thread.ident), "once"
    with pool.using((1, 128, 128)) as engine:
        assert engine is opened[1]
    pool.close()  # does not wait for the thread
    assert still_open(opened[0])
    go_on.set()
    thread.join(30)
    assert not still_open(opened[0])


def test_who_wants_another_engine_does_not_wait_for_one_that_opens(open_for, opened) -> None:
    opening, go_on = threading.Event(), threading.Event()

    def slow(shape: tuple[int, int, int]) -> Engine:
        if shape == (1, 128, 144):
            opening.set()
            assert go_on.wait(30)
        return open_for(shape)

    def use() -> None:
        with pool.using((1, 128, 144)):
            pass

    pool = EnginePool(slow)
    user = threading.Thread(target=use)
    user.start()
    assert opening.wait(30)
    assert user.ident is not None
    assert pool.is_opening(user.ident)
    with pool.using((1, 128, 128)) as engine:
        assert still_open(engine)
    go_on.set()
    user.join(30)
    assert not pool.is_opening(user.ident)
    pool.close()


def test_engines_thrown_away_are_closed_after_their_last_run_and_opened_anew(open_for, opened) -> None:
    pool = EnginePool(open_for)
    with pool.using((1, 128, 128)) as engine:
        assert pool.throw_away(lambda shape, _: shape == (1, 128, 128)) == 1
        assert still_open(engine)
    assert not still_open(engine)
    with pool.using((1, 128, 128)) as again:
        assert again is opened[1]
    pool.close()
