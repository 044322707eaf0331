"""Calls that hang, raise, or are too many."""

from __future__ import annotations

import threading
import time

from worker.channels.bounded import BoundedCalls


def test_answers_come_in_order_whoever_is_first() -> None:
    later = threading.Event()

    def slow() -> str:
        later.wait(5)
        return "slow"

    def quick() -> str:
        later.set()
        return "quick"

    answers = BoundedCalls(limit=2).run([slow, quick], seconds=5, missing=str)
    assert answers == ["slow", "quick"]


def test_one_that_hangs_is_left_behind_and_changes_nothing_later() -> None:
    release = threading.Event()

    def stuck() -> str:
        release.wait(10)
        return "too late"

    began = time.monotonic()
    answers = BoundedCalls(limit=2).run([stuck, lambda: "fine"], seconds=0.2, missing=str)
    assert time.monotonic() - began < 1
    release.set()
    time.sleep(0.05)
    assert answers == ["TimedOut", "fine"]


def test_no_more_threads_than_the_limit_and_slots_come_back() -> None:
    calls = BoundedCalls(limit=1)
    release = threading.Event()
    begun: list[str] = []

    def stuck() -> str:
        release.wait(10)
        return "late"

    def never() -> str:
        begun.append("never")
        return "fine"

    assert calls.run([stuck, never], seconds=0.1, missing=str) == ["TimedOut", "TimedOut"]
    assert calls.run([never], seconds=1, missing=str) == ["TooManyInFlight"]
    release.set()
    deadline = time.monotonic() + 5
    while calls.run([lambda: "fine"], seconds=1, missing=str) != ["fine"]:
        assert time.monotonic() < deadline
    assert begun == [], "a call began after its time was up"


def test_a_hundred_that_hang_hang_side_by_side() -> None:
    together = threading.Barrier(100)
    answers = BoundedCalls(limit=100).run(
        [lambda: str(together.wait(5) >= 0)] * 100, seconds=5, missing=str
    )
    assert answers == ["True"] * 100


def test_an_exception_is_named_and_does_not_escape() -> None:
    def wrong() -> str:
        raise KeyError("a text that may hold a target")

    assert BoundedCalls(limit=1).run([wrong], seconds=1, missing=str) == ["KeyError"]
