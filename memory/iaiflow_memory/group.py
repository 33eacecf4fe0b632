"""Group commit: writes that wait together are done as one transaction, with one write to disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Condition, Event, RLock
from typing import Final, Generic, TypeVar

from iaiflow_memory.errors import MemoryFault

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

#: Most requests of one transaction.
_MOST: Final = 1_000
#: Longest wait for those who were in the last transaction, in seconds.
_LONGEST: Final = 0.02


class _Waiting(Generic[Asked, Answered]):
    """The requests of one caller until they are answered."""

    def __init__(self, requests: Sequence[Asked]) -> None:
        self.requests = requests
        self.answers: Sequence[Answered] | None = None
        self.error: BaseException | None = None
        #: Set when there is an outcome, or when this caller has to lead.
        self.turn = Event()

    @property
    def is_done(self) -> bool:
        return self.answers is not None or self.error is not None


class GroupCommit(Generic[Asked, Answered]):
    """Does the requests of many threads, one transaction at a time.

    Whoever comes while nothing is done leads: its requests are done at once. Those that come
    meanwhile wait; then the first of them leads, and does what all of them ask for.

    Args:
        do: Does requests as one transaction and returns one answer for each.
    """

    def __init__(self, do: Callable[[list[Asked]], Sequence[Answered]]) -> None:
        self._do = do
        self._lock = RLock()
        self._came = Condition(self._lock)
        self._line: list[_Waiting[Asked, Answered]] = []
        self._last = 0  # how many were in the last transaction
        self._took = 0.0  # and how long it took, in seconds
        self._is_led = False

    def do(self, requests: Sequence[Asked]) -> Sequence[Answered]:
        """Return the answers to requests; they stand in one transaction.

        Raises:
            BaseException: What `do` raised for the transaction as a whole.
        """
        mine = _Waiting[Asked, Answered](requests)
        if batch := self._come_up(mine):
            self._lead(batch)
        if mine.error is not None:
            raise mine.error
        assert mine.answers is not None
        return mine.answers

    def _come_up(self, mine: _Waiting[Asked, Answered]) -> list[_Waiting[Asked, Answered]]:
        """Wait for the turn of a caller; return what it has to do, if it has to lead."""
        try:
            self._line_up(mine)
            mine.turn.wait()
            with self._lock:
                if mine.is_done:
                    return []
                self._gather()
                return self._take()
        except BaseException:  # interrupted: it neither waits nor leads any more
            with self._lock:
                if mine in self._line:
                    self._line.remove(mine)
                if mine.turn.is_set() and not mine.is_done:
                    self._hand_on()
            raise

    def _line_up(self, mine: _Waiting[Asked, Answered]) -> None:
        with self._lock:
            self._line.append(mine)
            self._came.notify_all()
            if not self._is_led:
                mine.turn.set()
                self._is_led = True

    def _lead(self, batch: list[_Waiting[Asked, Answered]]) -> None:
        start = time.perf_counter()
        self._answer(batch)
        with self._lock:
            self._last, self._took = len(batch), time.perf_counter() - start
            self._hand_on()
        for waiting in batch:
            waiting.turn.set()

    def _answer(self, batch: Sequence[_Waiting[Asked, Answered]]) -> None:
        try:
            answers = list(self._do([one for waiting in batch for one in waiting.requests]))
        except BaseException as error:  # each of them is told; the one that leads raises it too
            is_of_all = isinstance(error, MemoryFault) or not isinstance(error, Exception)
            if is_of_all or len(batch) == 1:
                for waiting in batch:
                    waiting.error = error
            else:  # one of them is to blame: the others do not pay for it
                for waiting in batch:
                    self._answer([waiting])
            return
        for waiting in batch:
            count = len(waiting.requests)
            waiting.answers, answers = answers[:count], answers[count:]

    def _gather(self) -> None:
        """Give those who were in the last transaction a moment to ask for more.

        They have just been answered: without it, one would go ahead alone each time, and all others
        wait for it.
        """
        longest = min(_LONGEST, self._took / 3)
        self._came.wait_for(lambda: len(self._line) >= self._last, longest)

    def _take(self) -> list[_Waiting[Asked, Answered]]:
        count, size = 0, 0
        for waiting in self._line:
            size += len(waiting.requests)
            if count and size > _MOST:
                break
            count += 1
        batch, self._line = self._line[:count], self._line[count:]
        return batch

    def _hand_on(self) -> None:
        if self._line:
            self._line[0].turn.set()
        else:
            self._is_led = False
