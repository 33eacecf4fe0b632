"""Removing runs that have ended, and artifacts that nothing names.

A run that is to be removed leaves its project in one transaction: nobody sees it any more. What is
left of it is cleared in small ones; should the process end meanwhile, the next that cleans goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from iaiflow_lab.errors import ConflictError, InputError, StoreError
from iaiflow_lab.model.moment import parse_duration
from iaiflow_lab.model.run import TERMINAL
from iaiflow_lab.service.history import find_row
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Row, Transaction

#: What the project of a run that is being removed begins with.
_CONDEMNED: Final = "removed/"
_CONDEMNED_END: Final = "removed0"  # what comes after every text that begins so
#: How many runs leave their project at once, and how many rows of a table are cleared at once.
_RUNS_AT_ONCE: Final = 100
_ROWS_AT_ONCE: Final = 1_000
#: Pause after each transaction, in seconds: others who write get their turn.
_REST_S: Final = 0.002
_CLEARING: Final = (
    "clear_events",
    "clear_metrics",
    "clear_steps",
    "clear_substeps",
    "clear_waits",
    "clear_signals",
    "clear_artifacts",
)
_DAY_S: Final = 86_400.0
#: How long it is known which runs were removed, in seconds.
TOLD_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed."""

    #: How many runs.
    runs: int
    #: How many artifacts.
    artifacts: int
    #: Bytes of artifacts and of the runs' folders.
    bytes: int

    @property
    def sentence(self) -> str:
        """What was removed, for people."""
        size = f"{self.bytes / 1_000_000:,.1f} MB"
        runs, artifacts = _count(self.runs, "run"), _count(self.artifacts, "artifact")
        return f"Removed {runs} and {artifacts} ({size})."


def expired(session: Session, older_than_s: float) -> list[str]:
    """Return the ids of runs that ended longer ago and may be removed, the oldest first.

    Args:
        session: An open workspace.
        older_than_s: How long ago, in seconds.
    """
    before = session.world.clock.now() - older_than_s
    with session.store.db.read() as reader:
        rows = reader.all("runs_expired", {"project": session.project, "before": before})
    return [row["id"] for row in rows]


def chosen(session: Session, refs: Sequence[str], older_than: str = "") -> list[str]:
    """Return the ids of the runs that somebody wants removed.

    Args:
        session: An open workspace.
        refs: Ids of runs, or their first characters.
        older_than: All that ended longer ago, such as `30d`; "": those that are named.

    Raises:
        InputError: Both are given, or none; or the time cannot be read.
        NotFoundError: There is no such run.
        ConflictError: One has not ended, or a run that has not ended repeats it.
    """
    if bool(refs) == bool(older_than):
        raise InputError(
            "Which runs are to be removed?", remedy="Name them, or give a time such as 30d"
        )
    if older_than:
        return expired(session, parse_duration(older_than))
    return _removable(session, refs)


def _removable(session: Session, refs: Sequence[str]) -> list[str]:
    """Return the ids of runs that are named by id or its first characters.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: One has not ended, or a run that has not ended repeats it.
    """
    session.coordinator.sweep()
    ids: list[str] = []
    with session.store.db.read() as reader:
        for ref in refs:
            row = find_row(reader, session, ref)
            again = reader.one("run_repeated_by", (row["id"],))
            if row["state"] not in TERMINAL:
                raise _refusal(f"Run {row['id']} is {row['state']}; only what has ended goes.")
            if again is not None:
                raise _refusal(f"Run {row['id']} is repeated by {again['id']}, which needs it.")
            ids.append(row["id"])
    return list(dict.fromkeys(ids))


def remove(
    session: Session, run_ids: Sequence[str], is_stopped: Callable[[], bool] = lambda: False
) -> Removal:
    """Remove runs with all that is kept of them, and the artifacts that nothing names any more.

    What cannot be removed (any more) is passed over. Artifacts of the last hour are kept until
    later, since a run that is on its way may need them.

    Args:
        session: An open workspace.
        run_ids: The ids of runs that have ended.
        is_stopped: Asked often; once it says yes, the rest is left to the next that cleans.

    Raises:
        StoreError: The database or a run's folder cannot be written; the others are removed.
    """
    for start in range(0, len(run_ids), _RUNS_AT_ONCE):
        if is_stopped():
            break
        _condemn(session, run_ids[start : start + _RUNS_AT_ONCE])
        session.world.faults.reach("remove.after_condemn")
    problems: list[StoreError] = []
    runs, size = _clear(session, is_stopped, problems)
    collected = session.store.artifacts.collect(is_stopped)
    if problems:
        raise problems[0]
    return Removal(runs, collected.count, size + collected.bytes)


def clean(session: Session, is_stopped: Callable[[], bool] = lambda: False) -> Removal:
    """Remove what `keep_days` does not keep, what is left of removals, and unused artifacts.

    Runs are not kept, nor outputs that were cached longer ago.
    """
    days = session.store.settings.keep_days
    if days is None:
        return remove(session, [], is_stopped)
    _forget_cached(session, days * _DAY_S, is_stopped)
    return remove(session, expired(session, days * _DAY_S), is_stopped)


def _forget_cached(session: Session, older_than_s: float, is_stopped: Callable[[], bool]) -> None:
    """Forget cached outputs that are older; their artifacts may go then."""
    old = {"before": session.world.clock.now() - older_than_s, "most": _ROWS_AT_ONCE}
    forgotten = _ROWS_AT_ONCE
    while forgotten == _ROWS_AT_ONCE and not is_stopped():
        with session.store.db.write() as tx:
            forgotten = tx.run("cache_forget", {"project": session.project, **old})
        session.world.clock.sleep(_REST_S)


def _condemn(session: Session, run_ids: Sequence[str]) -> None:
    ids = msgspec.json.encode(list(run_ids)).decode()
    values = {"prefix": _CONDEMNED, "project": session.project, "ids": ids}
    now = session.world.clock.now()
    with session.store.db.write() as tx:
        tx.run("runs_condemn", values)
        tx.run("removals_put", values | {"now": now})
        tx.run("removals_trim", {"project": session.project, "before": now - TOLD_S})


def _clear(
    session: Session, is_stopped: Callable[[], bool], problems: list[StoreError]
) -> tuple[int, int]:
    """Clear all that left its project; returns how many runs, and the bytes of their folders."""
    span = {"prefix": _CONDEMNED, "end": _CONDEMNED_END}
    with session.store.db.read() as reader:
        rows = reader.all("runs_condemned", span)
    count = size = 0
    for row in rows:
        if is_stopped():
            break
        try:
            size += _remove_folder(session.store.run_dir(row["id"]))
        except StoreError as error:
            problems.append(error)
            continue
        while not _clear_some(session, row):
            session.world.clock.sleep(_REST_S)
        session.world.clock.sleep(_REST_S)
        count += 1
    return count, size


def _clear_some(session: Session, row: Row) -> bool:
    """Clear rows of a run; says whether that were all, and the run itself is gone."""
    reach = session.world.faults.reach
    some = {"run_id": row["id"], "most": _ROWS_AT_ONCE}
    with session.store.db.write(lambda: reach("remove.before_commit")) as tx:
        cleared = [tx.run(statement, some) for statement in _CLEARING]
        if max(cleared) == _ROWS_AT_ONCE:
            return False
        _drop(tx, row)
    return True


def _drop(tx: Transaction, row: Row) -> None:
    tx.run("clear_notifications", (row["id"],))
    tx.run("run_drop", (row["id"],))
    project = row["project"].removeprefix(_CONDEMNED)
    tx.run("version_drop", {"project": project, "version": row["version"]})


def _remove_folder(folder: Path) -> int:
    """Remove a run's folder and return the bytes that its files had.

    Raises:
        StoreError: Something in it cannot be removed.
    """
    size = size_of(folder)
    while os.path.lexists(folder):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:  # somebody else removes it as well: what is left is still there
            continue
        except OSError as error:
            raise StoreError(
                f"A run's folder cannot be removed: {error.strerror or error}.",
                where=str(folder),
                remedy="Make it writable; the next cleaning removes it",
                code="folder-unremovable",
            ) from error
    return size


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; 0 when there is none."""
    size = 0
    for place, _, names in os.walk(folder):  # passes over folders that have gone meanwhile
        for name in names:
            with suppress(OSError):
                size += Path(place, name).lstat().st_size
    return size


def _refusal(what: str) -> ConflictError:
    return ConflictError(what, remedy="Cancel it first, or wait", code="wrong-state")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
