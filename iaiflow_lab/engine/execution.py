"""What all steps of one execution share: the journal, what is settled, and how it stops."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from iaiflow_lab.engine.hiding import RunSecrets, hidden
from iaiflow_lab.engine.recording import open_recording
from iaiflow_lab.engine.setup import Setup
from iaiflow_lab.engine.threads import THREADS, ThreadCall
from iaiflow_lab.engine.waits import Waits
from iaiflow_lab.errors import StaleFenceError
from iaiflow_lab.model.event import Event, StepFinished, StepOutput, SubstepRecorded

#: A backoff or a wait longer than this, in seconds, frees the worker when nothing else can run.
LONG_REST = 5.0
#: How long steps may take to end at the second request to cancel, in seconds.
LEAVE_GRACE = 0.5
#: How long nothing must happen before that, in seconds.
_IDLE_CHECK = 0.05

Stop = Literal["", "cancel", "give_back", "retry_later", "wait", "lost"]


class Cancellable(Protocol):
    """A step that is being executed."""

    def cancel(self) -> None:
        """Ask it to end."""
        ...


class Leavable(Protocol):
    """The graph of an execution."""

    def leave(self) -> None:
        """End without the steps that go on."""
        ...


class Interrupted(Protocol):
    """A step that was stopped before it had an outcome."""

    def give_up(self, reason: str) -> None:
        """Record that it was cancelled."""
        ...


class Execution:
    """The shared state of one execution; lives on the engine's loop.

    Args:
        setup: What to execute, and with what.
        loop: The engine's event loop.
    """

    def __init__(self, setup: Setup, loop: asyncio.AbstractEventLoop) -> None:
        self.setup = setup
        self.loop = loop
        self.recording = open_recording(setup.journal, setup.durability, self._recording_failed)
        #: Secrets that nodes ask for.
        self.secrets = RunSecrets(setup.secrets)
        #: Settled steps of this execution, by path.
        self.steps: dict[str, StepFinished] = {}
        #: Live outputs by step path.
        self.values: dict[str, Mapping[str, Any]] = (
            {} if setup.sight is None else setup.sight.outputs
        )
        #: Steps that are being executed, by path.
        self.running: dict[str, Cancellable] = {}
        #: Whether some output is a stored one that has to be read before it is used.
        self.has_stored = False
        #: Results of `ctx.once`, recorded by earlier claims and by this one.
        self.substeps: dict[tuple[str, str], SubstepRecorded] = dict(setup.record.substeps)
        #: Steps that kernels recorded, in earlier claims and in this one, by path.
        self.reported: dict[str, StepFinished] = dict(setup.record.steps)
        #: Steps that were called and stopped because what they belong to failed, by path.
        self.interrupted: dict[str, Interrupted] = {}
        #: Steps that were told to end and go on.
        self.stuck: list[str] = []
        #: Why no further step starts; "" while they do.
        self.stop: Stop = ""
        #: Why the steps that this stopped were cancelled.
        self.stop_reason = ""
        #: For "retry_later" and "wait": when the earliest backoff is over.
        self.due: float | None = None
        #: Set at the second request to cancel: nothing is waited for any longer.
        self.abandoned = asyncio.Event()
        #: The whole flow's graph, once it is executed.
        self.graph: Leavable | None = None
        #: What steps wait for.
        self.waits = Waits(self)
        #: The calls that are in threads, or will be as soon as there is one.
        self.thread_calls: set[ThreadCall] = set()
        self._backing_off: dict[str, float] = {}
        self._busy = 0
        #: Whether it may end to free its worker; in a notebook, that waits for it too.
        self.may_rest = self.is_stored and not setup.prefix

    @property
    def is_stored(self) -> bool:
        """Whether outputs are stored, so that another process can go on from them."""
        return self.setup.journal is not None and not self.setup.interactive

    @property
    def is_seen(self) -> bool:
        """Whether anybody takes the events."""
        return self.setup.journal is not None or self.setup.listener is not None

    def recorded(self, keys: re.Pattern[str]) -> list[SubstepRecorded]:
        """Return what all steps of the run have recorded for good so far; `keys` match as a whole.

        In a notebook that is itself a run it asks the worker, and blocks.
        """
        ask, known = self.setup.recorded_around, list(self.substeps.values())
        own = [one for one in known if keys.fullmatch(one.key) and one.output.encoding != "live"]
        around = () if ask is None else ask(keys.pattern)
        return list({(one.step, one.key): one for one in (*around, *own)}.values())

    def now(self) -> float:
        """Return the wall clock."""
        return self.setup.world.clock.now()

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call `function` on the engine's thread after `seconds`; any thread may ask for it."""
        self.loop.call_soon_threadsafe(self.loop.call_later, seconds, function)

    def emit(self, event: Event) -> None:
        """Tell the journal and the listener, without secrets; any thread may call this."""
        event = hidden(event)
        if not (isinstance(event, StepOutput) and event.value is not None):
            self.recording.add(event)
        if self.setup.listener is not None:
            self.setup.listener(event)

    def tell(self, event: Event) -> None:
        """Tell the listener what is recorded already."""
        if self.setup.listener is not None:
            self.setup.listener(event)

    def halt(self, stop: Stop, reason: str = "") -> None:
        """Start no further step and cancel those that run; `reason` is recorded with them."""
        if self.stop:
            self._abandon()
            return
        self.stop, self.stop_reason = stop, reason
        for step in list(self.running.values()):
            step.cancel()

    def _abandon(self) -> None:
        """Leave threads at once, and what else goes on after a moment."""
        if not self.abandoned.is_set():
            self.abandoned.set()
            self.loop.call_later(LEAVE_GRACE, self._leave)

    def _leave(self) -> None:
        self.stuck += [path for path in self.going_on() if path not in self.stuck]
        if self.graph is not None:
            self.graph.leave()

    def going_on(self) -> list[str]:
        """Return the paths of the steps that are being executed and wait for no other one."""
        running = list(self.running)
        return [p for p in running if not any(q.startswith((f"{p}/", f"{p}[")) for q in running)]

    def stop_waiting(self, prefix: str) -> None:
        """End the steps whose paths start with `prefix` that wait: nothing comes of them."""
        waiting = [*self._backing_off, *self.waits.steps]
        for path in [path for path in waiting if path.startswith(prefix)]:
            self.running[path].cancel()

    def give_up_below(self, path: str, reason: str) -> None:
        """Record the interrupted steps below `path` ("": all) as cancelled."""
        below = (f"{path}/", f"{path}[") if path else ""
        for step in [found for found in self.interrupted if found.startswith(below)]:
            self.interrupted.pop(step).give_up(reason)

    def _recording_failed(self, error: BaseException) -> None:
        del error
        self.loop.call_soon_threadsafe(self.halt, "lost")

    def journal_failed(self, error: BaseException) -> None:
        """End because the journal could not be asked."""
        self.recording.failure = self.recording.failure or error
        self.halt("lost")

    @property
    def lost_fence(self) -> StaleFenceError | None:
        """The refusal that ended the execution, when another worker holds the run."""
        failure = self.recording.failure
        return failure if isinstance(failure, StaleFenceError) else None

    def begin(self) -> None:
        """Note that a step does something."""
        self._busy += 1

    def pause(self) -> None:
        """Note that a step has ended, or waits for something else until `begin`."""
        self._busy -= 1
        if (self._backing_off or self.waits) and self.may_rest and self._is_idle():
            self.loop.call_later(_IDLE_CHECK, self.free_worker_if_idle)

    def _is_idle(self) -> bool:
        """Say whether every step waits, or waits for a thread that another one waits in."""
        if self._busy == 0:
            return True
        if self._busy > len(self.thread_calls):
            return False
        queued = [call for call in self.thread_calls if not call.begun]
        begun = Counter(call.depth for call in self.thread_calls if call.begun)
        return self._busy == len(queued) and all(begun[call.depth] >= THREADS for call in queued)

    async def back_off(self, step: str, due: float) -> None:
        """Wait between two calls of a step; may end the execution until the wait is over."""
        self._backing_off[step] = due
        self.pause()
        try:
            await asyncio.sleep(max(0.0, due - self.now()))
        finally:
            self.begin()
            del self._backing_off[step]

    def free_worker_if_idle(self) -> None:
        """End the execution when every step waits, and for long."""
        if (
            self.stop
            or not self.may_rest
            or not (self._backing_off or self.waits)
            or not self._is_idle()
        ):
            return
        moments = [*self._backing_off.values(), *self.waits.moments]
        if moments and min(moments) - self.now() <= LONG_REST:
            return
        self.due = min(self._backing_off.values(), default=None)
        self.halt("wait" if self.waits else "retry_later")
