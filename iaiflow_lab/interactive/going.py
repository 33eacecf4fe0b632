"""A run that goes on in this process, from its start until it is settled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from time import monotonic, time
from typing import Any, Final

from msgspec import structs

from iaiflow_lab.engine.capture import current_capture
from iaiflow_lab.engine.context import refuse_nested_run
from iaiflow_lab.engine.execution import LEAVE_GRACE
from iaiflow_lab.engine.executor import Handle, start
from iaiflow_lab.engine.failure import describe
from iaiflow_lab.engine.setup import Result, Sight
from iaiflow_lab.interactive import audience
from iaiflow_lab.interactive.audience import Beginning, Ending, Follower
from iaiflow_lab.interactive.places import Place, Request, find_place
from iaiflow_lab.model.event import ErrorInfo, Event
from iaiflow_lab.model.run import RunState

Take = Callable[[Event], None]

#: The code of a run that was ended because its kernel was.
KERNEL_ENDED: Final = "kernel-ended"
#: How long a run may take to end at the second request before a blocked event loop is left
#: behind, in seconds: longer than the engine itself waits for what goes on.
_LEAVE_AFTER: Final = 2 * LEAVE_GRACE
#: Steps that are named while they are waited for.
_NAMED: Final = 3
#: Pause between two looks whether its cancellation was asked for or it was answered, in seconds.
_CANCEL_PAUSE: Final = 0.5


class Going:
    """A run that goes on in this process; one thread waits for it and settles it.

    Args:
        request: What to run.
        take: Told of every event, where it happens; None: nobody.
        loop: The kernel's own event loop, for nodes that are bound to it; None: refused.

    Raises:
        LabError: It could not be started.
    """

    def __init__(
        self,
        request: Request,
        take: Take | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if current_capture.get() is not None:
            refuse_nested_run()
        self.request = request
        self.place: Place = find_place(request)
        #: In seconds since the Unix epoch.
        self.started_at = time()
        self.is_cancelling = False
        #: Whether it is cancelled because this process ends.
        self._is_last = False
        self._asked_at = monotonic()
        #: When a run that does not answer is left, in monotonic seconds.
        self._leave_at = inf
        self._handle: Handle | None = None
        self._is_over = False
        self._telling = threading.Lock()
        self._followers: list[Follower] = []
        try:
            self.handle = self._start(take, loop)
        except KeyboardInterrupt:
            self.cancel()
            self._settle(RunState.CANCELLED, None, {})
            raise
        except BaseException as error:
            self._settle(RunState.FAILED, describe(error, ""), {})
            raise

    def _announce(self, sight: Sight) -> None:
        beginning = Beginning(
            self.request,
            self.place.run_id,
            self.place.prefix,
            self.started_at,
            sight,
            self.cancel,
            self.flush,
        )
        for follower in audience.followers(self.request.keys):
            if follower.follow(beginning):
                self._followers.append(follower)

    def _start(self, take: Take | None, loop: asyncio.AbstractEventLoop | None) -> Handle:
        sight = Sight()
        self._announce(sight)
        takers = [follower.take for follower in self._followers]
        listener = self._listener([*takers, take] if take is not None else takers)
        seen = sight if self._followers else None
        handle = start(self.place.setup(self.request, listener, loop, seen))
        self._handle = handle
        if self.is_cancelling:  # asked for while it was being started
            handle.cancel()
        return handle

    def _listener(self, takers: Sequence[Take]) -> Take | None:
        """Return what tells all of an event, as long as the run is not over.

        What was left behind may go on and say something, and the next run has begun by then.
        """
        if not takers:
            return None

        def listen(event: Event) -> None:
            with self._telling:
                if not self._is_over:
                    for take in takers:
                        take(event)

        return listen

    def cancel(self) -> None:
        """Ask the run to end; at the second time, what goes on is left. Any thread may call it."""
        if self.is_cancelling:
            self._leave_at = min(self._leave_at, monotonic() + _LEAVE_AFTER)
        self.is_cancelling = True
        if self._handle is not None:
            self._handle.cancel()

    def flush(self) -> None:
        """Block until what was told of so far is committed, or cannot be. Not for the engine."""
        if self._handle is not None:
            with suppress(Exception):  # the run itself ends by it
                self._handle.flush()

    def abandon(self) -> None:
        """Cancel the run because this process ends; its record says so."""
        self._is_last = True
        self.cancel()

    def obey(self) -> None:
        """Cancel the run when somebody asked for it, and see to answers; looks now and then."""
        now = monotonic()
        if not self.is_cancelling and now - self._asked_at >= _CANCEL_PAUSE:
            self._asked_at = now
            if self.place.is_cancelled():
                self.cancel()
            elif self._handle is not None:
                self._handle.look()

    def look(self, pause: float) -> Result | None:
        """Wait at most `pause` seconds for the end; None when it goes on.

        Raises:
            LabError: What is done can no longer be recorded.
        """
        self.obey()
        try:
            return self.handle.wait(pause)
        except TimeoutError:
            return self.handle.wait() if self.handle.done else self.left()

    def left(self) -> Result | None:
        """Leave a run whose event loop is blocked when it was asked twice to end."""
        return self.handle.leave() if monotonic() >= self._leave_at else None

    def note(self, again: str) -> str:
        """Tell followers which steps are waited for while it is being cancelled, and return it.

        Args:
            again: How a person leaves what goes on, e.g. "interrupt again".
        """
        if not self.is_cancelling:
            return ""
        paths = sorted(path.removeprefix(self.place.prefix) for path in self.handle.going_on)
        text = "cancelling"
        if paths:
            names = ", ".join(f"`{path}`" for path in paths[:_NAMED])
            more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
            text = f"cancelling: waiting for {names}{more}; {again} to leave what goes on"
        for follower in self._followers:
            follower.note(text)
        return text

    def settle(self, result: Result) -> Ending:
        """Record how the run ended.

        Raises:
            StaleFenceError: The run was taken away, because this process seemed to have ended.
        """
        state, error = _truth(result, self.place.prefix)
        if state is RunState.CANCELLED and self._is_last:
            error = ErrorInfo(KERNEL_ENDED, "The kernel was ended while the flow ran.")
        return self._settle(state, error, result.outputs)

    def give_up(self, error: BaseException) -> None:
        """End what can no longer be recorded as it should."""
        self.handle.cancel()
        with suppress(Exception):  # the first reason is told
            self._settle(RunState.FAILED, describe(error, ""), {})

    def _settle(
        self, state: RunState, error: ErrorInfo | None, outputs: Mapping[str, Any]
    ) -> Ending:
        ending = Ending(state, error, time())
        try:
            self.place.settle(state, outputs, error)
        except BaseException as refusal:
            self._tell(Ending(RunState.FAILED, describe(refusal, ""), ending.ended_at))
            raise
        self._tell(ending)
        return ending

    def _tell(self, ending: Ending) -> None:
        """Tell followers how the run ended, once."""
        with self._telling:
            if self._is_over:
                return
            self._is_over = True
            own = Ending(ending.state, self.own(ending.error), ending.ended_at)
            for follower in self._followers:
                follower.end(own)

    def own(self, error: ErrorInfo | None) -> ErrorInfo | None:
        """Return an error with its step as the flow names it."""
        if error is None:
            return None
        return structs.replace(error, step=error.step.removeprefix(self.place.prefix))


def _truth(result: Result, prefix: str) -> tuple[RunState, ErrorInfo | None]:
    """Return how the run ended: it is cancelled only when its threads have ended."""
    if result.state is not RunState.CANCELLED or not result.stuck:
        return result.state, result.error
    names = ", ".join(repr(path.removeprefix(prefix)) for path in result.stuck)
    goes, them = ("goes", "it") if len(result.stuck) == 1 else ("go", "them")
    message = (
        f"The run was told to end, but {names} {goes} on in this process; "
        f"restart the kernel to end {them}."
    )
    return RunState.FAILED, ErrorInfo(code="still-running", message=message)
