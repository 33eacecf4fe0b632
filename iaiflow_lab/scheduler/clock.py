"""The clock of a workspace: APScheduler wakes it at the next moments, the database decides.

Only moments of the next minutes are loaded, without anything but their time, so that a clock can
be killed, doubled or started late: whoever wakes first moves the schedule on in one transaction.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Any, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from iaiflow_lab.errors import LabError
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.scheduler.files import LOOK_EVERY_S, FileWatch
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import firing, servers
from iaiflow_lab.service.firing import Fired
from iaiflow_lab.service.servers import BEAT_S
from iaiflow_lab.service.session import Session

#: How far ahead moments are loaded, in seconds, and how many.
HORIZON_S: Final = 300.0
_MOST: Final = 500
#: How often they are loaded without any news, in seconds.
_RELOAD_S: Final = 60.0
#: How often the database is asked for news, in seconds.
_NEWS_S: Final = 0.1
#: A wall clock that moves more than this between two looks was set, or the machine slept.
_JUMP_S: Final = 2.0
#: How long a clock waits after the database could not be used, in seconds.
_PAUSE_S: Final = 5.0


class Clock:
    """Fires the schedules of a workspace from `start` to `stop`; any number may run at once.

    Args:
        open_session: Opens the workspace; called by `start`, closed by `stop`.
        kind: What kind of process this is, for people who ask who fires.
        address: Where its API is; "" when it has none.
        tell: Takes a sentence about what happened, for people.
    """

    def __init__(
        self,
        open_session: Callable[[], Session],
        kind: servers.Kind = "serve",
        address: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._open_session = open_session
        self._kind: servers.Kind = kind
        self._address = address
        self._tell = tell
        self._stopped = Event()
        self._arming = Lock()
        #: Moments at which APScheduler wakes us; 0: to try again what failed.
        self._armed: set[float] = set()
        #: Nothing is fired before, after the database could not be used.
        self._not_before = 0.0
        #: Until when moments have been handled or have failed, and when the latter are tried again.
        self._handled_until = self._again_at = 0.0
        #: What was last said of each schedule that cannot be fired, by its name.
        self._failures: dict[str, str] = {}

    def start(self) -> None:
        """Begin: what is overdue is handled at once; returns without waiting for it.

        Raises:
            InputError: The workspace does not exist.
            StoreError: Its database cannot be used.
        """
        self._session = self._open_session()
        try:
            self._owner = servers.register(self._session, self._kind, self._address)
        except BaseException:
            self._session.close()
            raise
        self._files = FileWatch(self._session, self._signatures, self._tell)
        self._scheduler = _make_scheduler()
        self._scheduler.start()
        self._repeat(self._beat, BEAT_S)
        self._repeat(self._look_at_files, LOOK_EVERY_S)
        self._watcher = Thread(target=self._watch, name="schedule-news", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End: what is being fired is finished first. Stopped again, it does nothing."""
        if self._stopped.is_set():
            return
        with self._arming:  # APScheduler takes no job while it shuts down, and would wait for ours
            self._stopped.set()
        self._watcher.join()
        self._scheduler.pause()
        self._scheduler.remove_all_jobs()  # its thread fails when it is stopped while it takes one
        self._scheduler.shutdown(wait=True)
        self._trying(lambda: servers.leave(self._session, self._owner))
        self._session.close()

    def _repeat(self, action: Callable[[], None], seconds: int) -> None:
        trigger = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(action, trigger, executor="beside")

    def _watch(self) -> None:
        """Load moments when anything was committed and each minute; wake up after a clock jump."""
        watch, clock = self._session.store.db.watch(), self._session.world.clock
        reload_at, last = 0.0, clock.now()
        try:
            while not self._stopped.wait(_NEWS_S):
                now = clock.now()
                if abs(now - last - _NEWS_S) > _JUMP_S:
                    self._scheduler.wakeup()
                last = now
                if watch.changed() or clock.monotonic() >= reload_at:
                    reload_at = clock.monotonic() + _RELOAD_S
                    self._trying(self._arm)
        finally:
            watch.close()

    def _arm(self) -> None:
        """Have APScheduler wake us at the next moments."""
        now = self._session.world.clock.now()
        wanted = {
            "project": self._session.project,
            "handled": min(self._handled_until, now),  # whatever becomes of the clock
            "horizon": now + HORIZON_S,
            "limit": _MOST,
        }
        with self._arming:
            if self._stopped.is_set():
                return
            with self._session.store.db.read() as reader:
                rows = reader.all("schedules_moments", wanted)
            for moment in {row["moment"] for row in rows} - self._armed:
                at = max(moment or self._again_at, self._not_before)
                trigger = DateTrigger(datetime.fromtimestamp(at, UTC), timezone=UTC)
                self._scheduler.add_job(self._fire, trigger, args=(moment,))
                self._armed.add(moment)

    def _fire(self, moment: float) -> None:
        self._armed.discard(moment)
        if not self._stopped.is_set():
            self._trying(self._fire_due)
            self._trying(self._arm)

    def _fire_due(self) -> None:
        """Fire what is due; a schedule for which that fails is told of once, not at every try."""
        now = self._session.world.clock.now()
        fired = firing.fire_due(self._session, self._signatures(), self._stopped.is_set)
        known = self._failures
        self._failures = {each.name: each.failure for each in fired if each.failure}
        self._handled_until = now
        if self._failures:
            self._again_at = self._session.world.clock.now() + _PAUSE_S
        self._report(
            each for each in fired if not each.failure or known.get(each.name) != each.failure
        )

    def _look_at_files(self) -> None:
        self._trying(lambda: self._report(self._files.look()))

    def _beat(self) -> None:
        self._trying(lambda: servers.beat(self._session, self._owner))

    def _signatures(self) -> Signatures:
        return load_catalog(self._session.workspace)

    def _report(self, fired: Iterable[Fired]) -> None:
        for each in fired:
            self._tell(sentence(each))

    def _trying(self, action: Callable[[], None]) -> None:
        """Do something whose failure must not end the clock; it is tried again a little later."""
        try:
            action()
        except Exception as error:
            self._not_before = self._session.world.clock.now() + _PAUSE_S
            self._tell(_sentence_of(error))


def _sentence_of(error: Exception) -> str:
    if isinstance(error, LabError):
        return str(error)
    return f"The clock met a defect, {type(error).__name__}: {error}"


def sentence(fired: Fired) -> str:
    """Say what became of a schedule's moments."""
    parts: list[str] = []
    if fired.runs:
        more = f" and {len(fired.runs) - 1} more" if len(fired.runs) > 1 else ""
        parts.append(f"queued {fired.runs[0]}{more}")
    if fired.missed:
        moments = "1 moment" if fired.missed == 1 else f"{fired.missed:,} moments"
        parts.append(f"missed {moments} while nothing fired schedules")
    if fired.overlapped:
        parts.append("left out, since the run before has not ended")
    if fired.refusal:
        parts.append(f"cannot run: {fired.refusal}")
    if fired.failure:
        parts.append(f"cannot be fired: {fired.failure}")
    return f"Schedule {fired.name!r} {'; '.join(parts) or 'had fired already'}."


def _make_scheduler() -> Any:
    log = logging.getLogger("iaiflow_lab.scheduler.apscheduler")
    log.setLevel(logging.ERROR)  # a look that takes longer than its turn is nothing to report
    # One thread fires: transactions of one process would only wait for each other.
    executors = {"default": ThreadPoolExecutor(1), "beside": ThreadPoolExecutor(1)}
    return BackgroundScheduler(
        logger=log,
        timezone=UTC,
        jobstores={"default": MemoryJobStore()},
        executors=executors,
        job_defaults={"misfire_grace_time": None, "coalesce": True},
    )
