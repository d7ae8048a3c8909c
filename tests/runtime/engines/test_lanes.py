"""Threads that take turns each get their own thing back, and never one that another holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hemonode.runtime.engines.lanes import Lanes


def test_a_thread_gets_the_one_it_had_before_and_another_thread_the_other() -> None:
    lanes = Lanes(["first", "second"])

    def borrow() -> str:
        with lanes.borrowed() as thing:
            return thing

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        with lanes.borrowed() as mine:
            theirs = one.submit(borrow).result()
        assert {mine, theirs} == {"first", "second"}
        for _ in range(3):
            assert borrow() == mine
            assert one.submit(borrow).result() == theirs
        with lanes.borrowed():
            assert other.submit(borrow).result() == theirs, "it is free, whoever had it"


def test_a_failure_gives_it_back() -> None:
    lanes = Lanes(["only"])
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), lanes.borrowed():
            raise ValueError("broken")
