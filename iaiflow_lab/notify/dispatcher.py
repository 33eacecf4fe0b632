"""The dispatcher: sends what stands in the outbox while a process runs.

It keeps nothing in memory: it can be killed, doubled or started late, and what was not noted as
sent is sent again, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, Thread
from typing import Final

from iaiflow_lab.errors import LabError
from iaiflow_lab.notify.channels import Post
from iaiflow_lab.notify.delivery import deliver
from iaiflow_lab.service import outbox
from iaiflow_lab.service.session import Session

#: How often the database is asked for news, and how often it is looked through without any.
_NEWS_S: Final = 0.2
_LOOK_S: Final = 1.0
#: How often scheduled runs are looked at that may be late, and what is old is forgotten.
_LATE_S: Final = 5.0
_TRIM_S: Final = 3_600.0
#: How long a dispatcher waits after the database could not be used.
_PAUSE_S: Final = 5.0
#: How many rules may send at once: a slow server must not keep the others waiting.
_AT_ONCE: Final = 4


class Dispatcher:
    """Sends the notifications of a workspace from `start` to `stop`; any number may run at once.

    Args:
        open_session: Opens the workspace; called by `start`, closed by `stop`.
        tell: Takes a sentence about what could not be sent, for people.
        make_post: Makes what sends; by default with the secrets of this process's environment.
    """

    def __init__(
        self,
        open_session: Callable[[], Session],
        tell: Callable[[str], None] = lambda _: None,
        make_post: Callable[[Session], Post] = lambda session: Post.of_process(
            session.store.settings
        ),
    ) -> None:
        self._open_session = open_session
        self._tell = tell
        self._make_post = make_post
        self._stopped = Event()
        self._lock = Lock()
        #: The rules that are sending.
        self._busy: set[str] = set()

    def start(self) -> None:
        """Begin; returns without waiting for anything to be sent.

        Raises:
            InputError: The workspace does not exist.
            StoreError: Its database cannot be used.
        """
        self._session = self._open_session()
        self._post = self._make_post(self._session)
        self._senders = ThreadPoolExecutor(_AT_ONCE, "notify")
        self._thread = Thread(target=self._run, name="notify", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End: what is being sent is finished first. Stopped again, it does nothing."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join()
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._session.close()

    def _run(self) -> None:
        clock = self._session.world.clock
        watch = self._session.store.db.watch()
        look_at = late_at = 0.0
        trim_at = clock.monotonic() + _TRIM_S
        try:
            while not self._stopped.wait(_NEWS_S):
                now = clock.monotonic()
                if now >= late_at:
                    late_at = now + _LATE_S
                    self._trying(lambda: outbox.note_late(self._session))
                if now >= trim_at:
                    trim_at = now + _TRIM_S
                    self._trying(lambda: outbox.trim(self._session))
                if watch.changed() or now >= look_at:
                    look_at = now + _LOOK_S
                    self._trying(self._look)
        finally:
            watch.close()

    def _look(self) -> None:
        for rule_id in outbox.due_rules(self._session):
            with self._lock:
                if rule_id in self._busy:
                    continue
                self._busy.add(rule_id)
            self._senders.submit(self._send, rule_id)

    def _send(self, rule_id: str) -> None:
        try:
            self._trying(lambda: self._deliver(rule_id))
        finally:
            with self._lock:
                self._busy.discard(rule_id)

    def _deliver(self, rule_id: str) -> None:
        if trouble := deliver(self._session, rule_id, self._post):
            self._tell(trouble)

    def _trying(self, action: Callable[[], object]) -> None:
        """Do something whose failure must not end the dispatcher; it is tried again later."""
        try:
            action()
        except LabError as error:
            self._tell(str(error))
            self._stopped.wait(_PAUSE_S)
        except Exception as error:
            self._tell(f"The dispatcher met a defect, {type(error).__name__}: {error}")
            self._stopped.wait(_PAUSE_S)
