"""The waits of one execution: which are open, and what is known of those that have ended.

How a wait ends is decided by the coordinator alone. The engine asks it whenever a wait was
recorded, its moment has come, or there may be news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import replace

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import StepWaiting, WaitAnswered, WaitLeft
from iaiflow_lab.model.run import TIMED, WaitOutcome

if TYPE_CHECKING:
    from iaiflow_lab.engine.execution import Execution

Place = tuple[str, str]

#: Longest time between two looks at the clock while a moment is awaited, in seconds: the wall
#: clock may be set.
_LONGEST_SLEEP: Final = 30.0
#: Shortest one, should the coordinator's clock be behind.
_SHORTEST_SLEEP: Final = 0.005


class Waiter(Protocol):
    """A step that waits."""

    #: Its path in the run.
    path: str

    def hold(self) -> None:
        """Stop the clock of its time limit, and of those of the steps above it."""
        ...

    def release(self) -> None:
        """Let them go on."""
        ...


@dataclass(frozen=True, slots=True)
class _Open:
    step: Waiter
    asked: StepWaiting
    answer: asyncio.Future[WaitAnswered]


class Waits:
    """Opens waits and hands out their answers; lives on the engine's loop.

    Args:
        execution: What all steps share.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        record = execution.setup.record
        #: How the waits that have ended did, by step and key.
        self.ended: dict[Place, WaitAnswered] = dict(record.answers)
        self._known: dict[Place, StepWaiting] = dict(record.waits)
        self._open: dict[Place, _Open] = {}
        #: How many waits each step has open.
        self._steps: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.Task[None] | None = None
        self._look_again = False

    def __bool__(self) -> bool:
        """Whether a step waits."""
        return bool(self._open)

    @property
    def steps(self) -> Iterable[str]:
        """The paths of the steps that wait."""
        return self._steps

    @property
    def moments(self) -> list[float]:
        """When waits end by themselves, in seconds since the Unix epoch."""
        return [found.asked.due for found in self._open.values() if found.asked.due is not None]

    async def wait(self, step: Waiter, asked: StepWaiting) -> WaitAnswered:
        """Wait for an answer; one that is recorded is returned at once.

        Raises:
            NodeError: The step waits under this key already, or nobody could answer.
        """
        place = (asked.step, asked.key)
        if place in self.ended:
            return self.ended[place]
        self._check(place, asked)
        asked = replace(self._known.get(place, asked), at=asked.at)  # its first moment counts
        answer: asyncio.Future[WaitAnswered] = self._execution.loop.create_future()
        self._execution.emit(asked)
        self._begin(place, _Open(step, asked, answer))
        try:
            return await answer
        finally:
            if place in self._open:
                self._end(place)
                if not self._execution.stop:
                    left = WaitLeft(at=self._execution.now(), step=asked.step, key=asked.key)
                    self._execution.emit(left)

    async def rest(self, step: Waiter, below: Sequence[StepWaiting]) -> None:
        """Wait until one of the waits has ended that a kernel opened below a step."""
        answer: asyncio.Future[WaitAnswered] = self._execution.loop.create_future()
        places = [(asked.step, asked.key) for asked in below]
        if any(place in self.ended for place in places):
            return
        for place, asked in zip(places, below, strict=True):
            self._begin(place, _Open(step, asked, answer))
        try:
            await answer
        finally:
            for place in places:
                if place in self._open:
                    self._end(place)

    def note(self, asked: StepWaiting) -> None:
        """Remember a wait that a kernel opened."""
        self._known.setdefault((asked.step, asked.key), asked)

    def known_below(self, path: str) -> list[StepWaiting]:
        """Return the waits, open when they were recorded, of the steps whose paths start so."""
        known = self._known.copy()
        return [asked for place, asked in known.items() if place[0].startswith(path)]

    def look(self) -> None:
        """Ask how waits ended, as soon as what was emitted is recorded."""
        self._look_again = True
        if self._look is None and self._open:
            self._look = self._execution.loop.create_task(self._look_until_quiet())

    def close(self) -> None:
        """Forget everything; nothing is delivered any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._look is not None:
            self._look.cancel()

    def hear(self, found: Sequence[WaitAnswered]) -> None:
        """Take note of how waits ended and hand the answers out."""
        for ended in found:
            place = (ended.step, ended.key)
            if place in self.ended:
                continue
            self.ended[place] = ended
            self._execution.tell(ended)
            if place in self._open:
                answer = self._open[place].answer
                self._end(place)
                if not answer.done():
                    answer.set_result(ended)

    def _check(self, place: Place, asked: StepWaiting) -> None:
        if place in self._open:
            raise NodeError(
                f"Node {asked.node!r} waits for {asked.key!r} already.",
                remedy="Give each wait of the node a key of its own.",
                code="wait-invalid",
            )
        if self._execution.setup.journal is None and asked.wait_kind not in TIMED:
            raise NodeError(
                f"Node {asked.node!r} waits for an answer, but nobody can answer this run.",
                remedy="Run the flow in a workspace, where runs are recorded.",
                code="wait-invalid",
            )

    def _begin(self, place: Place, opened: _Open) -> None:
        self._open[place] = opened
        opened.step.hold()
        count = self._steps.get(opened.step.path, 0)
        self._steps[opened.step.path] = count + 1
        if count == 0:
            self._execution.pause()
        self._arm()
        self.look()

    def _end(self, place: Place) -> None:
        opened = self._open.pop(place)
        path = opened.step.path
        opened.step.release()
        self._steps[path] -= 1
        if self._steps[path] == 0:
            del self._steps[path]
            self._execution.begin()

    async def _look_until_quiet(self) -> None:
        try:
            while self._look_again and self._open:
                self._look_again = False
                self.hear(await self._answers())
            self._arm()
            self._execution.free_worker_if_idle()
        except Exception as error:  # the run is lost, or its store cannot be used
            self._execution.journal_failed(error)
        finally:
            self._look = None

    async def _answers(self) -> Sequence[WaitAnswered]:
        journal = self._execution.setup.journal
        if journal is None:
            return self._past()
        await self._execution.recording.flushed()
        return await asyncio.to_thread(journal.answers)

    def _past(self) -> Sequence[WaitAnswered]:
        """Return the answers of a bare run: the moments that have come."""
        now = self._execution.now()
        return [
            WaitAnswered(at=now, step=step, key=key, outcome=WaitOutcome.DUE)
            for (step, key), found in self._open.items()
            if found.asked.due is not None and found.asked.due <= now
        ]

    def _arm(self) -> None:
        """See to it that the next moment is noticed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if moments := self.moments:
            pause = min(moments) - self._execution.now()
            pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, pause))
            self._timer = self._execution.loop.call_later(pause, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if min(self.moments, default=self._execution.now() + 1) <= self._execution.now():
            self.look()
        else:
            self._arm()
