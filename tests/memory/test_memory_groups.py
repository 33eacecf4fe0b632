"""Writes that wait together are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread

import pytest

from iaiflow_memory.errors import Full
from iaiflow_memory.group import GroupCommit


class Slow:
    """Does the first batch when it is told to, and remembers what came together."""

    def __init__(self) -> None:
        self.begun = Event()
        self.may_end = Event()
        self.batches: list[list[int]] = []

    def do(self, requests: Sequence[int]) -> list[int]:
        self.batches.append(list(requests))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.may_end.wait(60)
        if 13 in requests:
            raise Full("No room is left on the disk")
        if -1 in requests:
            raise ValueError("a defect")
        return [-number for number in requests]


def _line_up(group: GroupCommit[int, int], numbers: Sequence[int]) -> tuple[list[Thread], dict]:
    """Ask for each number in a thread of its own; all are in line when this returns."""
    came: dict[int, object] = {}

    def ask(number: int) -> None:
        try:
            came[number] = list(group.do([number, number]))
        except (Full, ValueError) as error:
            came[number] = error

    threads = [Thread(target=ask, args=(number,)) for number in numbers]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(group._line) < count:
            thread.join(0.001)
    return threads, came


@pytest.fixture
def slow() -> Slow:
    return Slow()


def test_those_that_wait_together_are_done_together(slow: Slow) -> None:
    group = GroupCommit(slow.do)
    first = Thread(target=group.do, args=([0],))
    first.start()
    assert slow.begun.wait(60)
    threads, came = _line_up(group, [1, 2, 3])
    slow.may_end.set()
    for thread in (first, *threads):
        thread.join()
    assert slow.batches == [[0], [1, 1, 2, 2, 3, 3]]
    assert came == {1: [-1, -1], 2: [-2, -2], 3: [-3, -3]}
    assert group.do([4]) == [-4]


def test_a_transaction_that_fails_is_told_to_all_in_it(slow: Slow) -> None:
    group = GroupCommit(slow.do)
    first = Thread(target=group.do, args=([0],))
    first.start()
    assert slow.begun.wait(60)
    threads, came = _line_up(group, [12, 13])
    slow.may_end.set()
    for thread in (first, *threads):
        thread.join()
    assert all(isinstance(came[number], Full) for number in (12, 13))
    assert group.do([4]) == [-4]


def test_a_defect_is_told_to_the_one_who_meets_it(slow: Slow) -> None:
    group = GroupCommit(slow.do)
    first = Thread(target=group.do, args=([0],))
    first.start()
    assert slow.begun.wait(60)
    threads, came = _line_up(group, [1, -1, 2])
    slow.may_end.set()
    for thread in (first, *threads):
        thread.join()
    assert isinstance(came.pop(-1), ValueError)
    assert came == {1: [-1, -1], 2: [-2, -2]}


def test_one_who_is_interrupted_holds_nobody_up(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupCommit(slow.do)
    first = Thread(target=group.do, args=([0],))
    first.start()
    assert slow.begun.wait(60)

    class Interrupted(Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    monkeypatch.setattr("iaiflow_memory.group.Event", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        group.do([1])
    monkeypatch.undo()
    threads, came = _line_up(group, [2])
    slow.may_end.set()
    for thread in (first, *threads):
        thread.join()
    assert came == {2: [-2, -2]}
    assert slow.batches == [[0], [2, 2]]


def test_one_who_is_interrupted_when_it_has_come_to_lead_holds_nobody_up(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupCommit(slow.do)
    slow.may_end.set()

    class ToldThenInterrupted(Event):
        def set(self) -> None:
            super().set()
            raise KeyboardInterrupt

    class Interrupted(Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert self.is_set()
            raise KeyboardInterrupt

    for number, kind in enumerate((ToldThenInterrupted, Interrupted), 1):
        with monkeypatch.context() as patch:
            patch.setattr("iaiflow_memory.group.Event", kind)
            with pytest.raises(KeyboardInterrupt):
                group.do([number])
        assert group.do([number * 10]) == [number * -10]
    assert slow.batches == [[10], [20]]


def test_one_who_is_interrupted_before_leading_holds_nobody_up(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupCommit(slow.do)

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "_gather", interrupted)
    with pytest.raises(KeyboardInterrupt):
        group.do([1])
    monkeypatch.undo()
    slow.may_end.set()
    assert group.do([2]) == [-2]
    assert slow.batches == [[2]]
