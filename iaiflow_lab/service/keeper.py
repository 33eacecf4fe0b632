"""Looks after a workspace while a process serves it: room, presence, and what is not kept."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from iaiflow_lab.errors import LabError
from iaiflow_lab.service import retention, servers
from iaiflow_lab.service.room_watch import RoomWatch
from iaiflow_lab.service.servers import BEAT_S
from iaiflow_lab.service.session import Session

#: How often room is looked at, and how often what is not kept is removed, in seconds.
_LOOK_S: Final = 1.0
_CLEAN_S: Final = 3_600.0


class Keeper:
    """Keeps a workspace from `start` to `stop`; any number of processes may have one.

    Args:
        open_session: Opens the workspace; called by `start`, closed by `stop`.
        tell: Takes a sentence about what happened, for people.
        cleans: Whether it removes what is not kept.
        address: Where this process's API is, when it serves without a clock; None: its clock says
            that it serves, or it does not.
    """

    def __init__(
        self,
        open_session: Callable[[], Session],
        tell: Callable[[str], None],
        *,
        cleans: bool = False,
        address: str | None = None,
    ) -> None:
        self._open_session = open_session
        self._tell = tell
        self._cleans = cleans
        self._address = address
        self._owner = ""
        self._stopped = Event()
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Begin; room is looked at before this returns.

        Raises:
            InputError: The workspace does not exist.
            StoreError: Its database cannot be used.
        """
        self._session = self._open_session()
        try:
            self._begin()
        except BaseException:
            self.stop()  # its threads would keep the process
            raise

    def _begin(self) -> None:
        self._room = RoomWatch(self._session.store, self._tell)
        self._trying(self._room.look)
        self._repeat(self._room.look, _LOOK_S)
        if self._address is not None:
            self._owner = servers.register(self._session, "no-clock", self._address)
            self._repeat(lambda: servers.beat(self._session, self._owner), BEAT_S)
        if self._cleans:
            self._repeat(self._clean, _CLEAN_S, at_once=True)

    def stop(self) -> None:
        """End; what is being removed is finished at the next start."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._owner:
            self._trying(lambda: servers.leave(self._session, self._owner))
        self._session.close()

    def _clean(self) -> None:
        removed = retention.clean(self._session, self._stopped.is_set)
        if removed.runs or removed.artifacts:
            self._tell(removed.sentence)

    def _repeat(self, action: Callable[[], None], every_s: float, *, at_once: bool = False) -> None:
        thread = Thread(target=self._keep_doing, args=(action, every_s, at_once), name="keeper")
        thread.start()
        self._threads.append(thread)

    def _keep_doing(self, action: Callable[[], None], every_s: float, at_once: bool) -> None:  # noqa: FBT001
        while at_once or not self._stopped.wait(every_s):
            at_once = False
            self._trying(action)

    def _trying(self, action: Callable[[], None]) -> None:
        """Do something whose failure must not end the keeper; its next turn tries again."""
        try:
            action()
        except (LabError, OSError) as error:
            self._tell(str(error))
        except Exception as error:
            self._tell(f"The keeper met a defect, {type(error).__name__}: {error}")
