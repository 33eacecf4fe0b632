"""Looks at the files of schedules, and fires those whose files have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.schedule import FileChange
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.service import firing, watched_files
from iaiflow_lab.service.firing import Fired
from iaiflow_lab.service.schedule_rows import Schedule, read_schedule
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.watched_files import Files

#: How often files are looked at, in seconds; a change counts once two looks agree about it.
LOOK_EVERY_S: Final = 2


class FileWatch:
    """Compares the files of schedules with what was seen last; any number may look at once.

    Args:
        session: An open workspace.
        signatures: Gives the catalog that targets are checked against.
        tell: Takes a sentence about what cannot be looked at, for people.
    """

    def __init__(
        self, session: Session, signatures: Callable[[], Signatures], tell: Callable[[str], None]
    ) -> None:
        self._session = session
        self._signatures = signatures
        self._tell = tell
        #: Changes that one look has found, by schedule.
        self._pending: dict[str, Files] = {}
        #: Schedules whose files had changed before the first look; None: there was none yet.
        self._changed_before: set[str] | None = None
        self._refused: dict[str, str] = {}

    def look(self) -> list[Fired]:
        """Look once; returns what became of the changes that two looks agree about.

        Raises:
            StoreError: The workspace's database or artifacts cannot be written.
        """
        wanted = {"project": self._session.project, "now": self._session.world.clock.now()}
        with self._session.store.db.read() as reader:
            rows = reader.all("schedules_of_files", wanted)
            found = [read_schedule(row, reader, self._session) for row in rows]
        fired = [self._look_at(schedule) for schedule in found]
        if self._changed_before is None:
            self._changed_before = set(self._pending)
        return [each for each in fired if each is not None]

    def _look_at(self, schedule: Schedule) -> Fired | None:
        files = self._files(schedule)
        if files is None:
            return None
        known = watched_files.decode(schedule.seen)
        pending = self._pending.pop(schedule.id, None)
        if watched_files.same(files, known):
            return None
        if pending is None or not watched_files.same(files, pending):
            self._pending[schedule.id] = files
            return None
        return self._fire(schedule, files, known)

    def _fire(self, schedule: Schedule, files: Files, known: Files) -> Fired | None:
        files = watched_files.read(self._session.workspace, files, known)
        before = self._changed_before or set()
        was_down = schedule.id in before
        before.discard(schedule.id)
        changed = watched_files.changed(files, known)
        catalog = self._signatures()
        return firing.fire_change(
            self._session, schedule, files, changed, catalog, was_down=was_down
        )

    def _files(self, schedule: Schedule) -> Files | None:
        when = schedule.spec.rule.when
        assert isinstance(when, FileChange)
        try:
            found = watched_files.look(self._session.workspace, when.patterns)
        except (InputError, OSError) as error:
            sentence = f"Schedule {schedule.spec.name!r}: {error}"
            if self._refused.get(schedule.id) != sentence:  # said once
                self._tell(sentence)
            self._refused[schedule.id] = sentence
            return None
        self._refused.pop(schedule.id, None)
        return found
