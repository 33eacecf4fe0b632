"""Searching what the steps of all runs and the cells of their notebooks wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.moment import parse_past
from iaiflow_lab.model.names import shorten
from iaiflow_lab.service.as_data import iso
from iaiflow_lab.service.history import find_row, is_within
from iaiflow_lab.service.schedule_when import local_zone
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.written import written
from iaiflow_lab.store.database import Row

#: Most lines that one search returns, and longest pattern in characters.
MOST: Final = 10_000
_LONGEST: Final = 1_000
#: How many runs and events are read at a time.
_RUNS: Final = 200
_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a step wrote."""

    run_id: str
    flow: str
    step: str
    #: Number of its event in the run's journal.
    seq: int
    #: Seconds since the Unix epoch.
    at: float
    #: `stdout`, `stderr`, `log` or `warning`.
    stream: str
    #: Level of a log record; "" when it is none.
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Which lines to look for."""

    #: A regular expression as Rust writes them: without look-around, so that no pattern takes long.
    pattern: str
    #: Only this run; "" for all.
    run_id: str = ""
    #: Only runs of this flow or notebook, by path; "" for all.
    flow: str = ""
    #: Only this step and what is nested in it; "" for all.
    step: str = ""
    #: Only what was written from this moment on, in seconds since the epoch; None: ever.
    since: float | None = None
    #: How many lines, 1 to 10,000.
    limit: int = 1_000
    #: Whether upper and lower case are the same.
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    #: The newest run first, the lines of a run in their order.
    lines: list[LogLine]
    #: Whether there are further ones.
    is_cut: bool


def search(
    session: Session, wanted: LogSearch, is_stopped: Callable[[], bool] = lambda: False
) -> Found:
    """Return the lines that match, progress bars apart.

    Args:
        session: An open workspace.
        wanted: What is looked for.
        is_stopped: Asked often; once it says yes, what was found by then is all.

    Raises:
        InputError: The pattern is no regular expression, or the limit is out of range.
        NotFoundError: There is no such run.
    """
    if not 1 <= wanted.limit <= MOST:
        raise InputError(f"limit = {wanted.limit} is out of range.", remedy=f"Use 1 to {MOST}")
    pattern = _checked(wanted)
    matching = _matching(_written(session, wanted, is_stopped), pattern)
    lines = list(islice(matching, wanted.limit))
    return Found(lines, is_cut=next(matching, None) is not None)


def since(session: Session, text: str) -> float | None:
    """Return the moment that `2h`, `1d` (ago) or `2026-12-01T06:00` names; None for "".

    Raises:
        InputError: It is neither.
    """
    return parse_past(text, local_zone(), session.world.clock.now()) if text else None


def to_data(found: Found, longest: int | None = None) -> dict[str, Any]:
    """Return what was found as JSON data; times are ISO 8601.

    Args:
        found: The lines.
        longest: What is kept of each, in characters; None: all.
    """
    lines = [
        msgspec.to_builtins(line)
        | {
            "at": iso(line.at),
            "text": line.text if longest is None else shorten(line.text, longest),
        }
        for line in found.lines
    ]
    return {"lines": lines, "is_cut": found.is_cut}


def _checked(wanted: LogSearch) -> str:
    if len(wanted.pattern) > _LONGEST:
        raise InputError(f"The pattern is longer than {_LONGEST} characters.")
    _select([""], wanted.pattern)
    return f"(?i){wanted.pattern}" if wanted.ignore_case else wanted.pattern


def _matching(written: Iterator[tuple[Row, int, ev.StepLog]], pattern: str) -> Iterator[LogLine]:
    while batch := list(islice(written, _EVENTS)):
        lines = [
            (place, text)
            for place, (_, _, event) in enumerate(batch)
            for text in event.text.removesuffix("\n").split("\n")
        ]
        for index in _select([text for _, text in lines], pattern):
            place, text = lines[index]
            yield _line(*batch[place], text)


def _line(run: Row, seq: int, event: ev.StepLog, text: str) -> LogLine:
    return LogLine(
        run_id=run["id"],
        flow=run["flow"],
        step=event.step,
        seq=seq,
        at=event.at,
        stream=event.stream,
        level=event.level,
        text=text,
    )


def _select(texts: list[str], pattern: str) -> list[int]:
    """Return the positions of the texts that match."""
    import polars as pl

    try:
        return pl.Series(texts, dtype=pl.String).str.contains(pattern).arg_true().to_list()
    except pl.exceptions.ComputeError as error:
        said = str(error)
        why = re.search("^error: (.*)", said, re.MULTILINE) or re.search("(.*)", said)
        assert why is not None  # there is always a first line
        raise InputError(
            f"The pattern {shorten(pattern)!r} is no regular expression: {shorten(why[1], 200)}.",
            remedy="Put a backslash before characters that are meant as they are",
            code="bad-pattern",
        ) from None


def _written(
    session: Session, wanted: LogSearch, is_stopped: Callable[[], bool]
) -> Iterator[tuple[Row, int, ev.StepLog]]:
    for run in _runs(session, wanted):
        if is_stopped():
            return
        events = takewhile(lambda _: not is_stopped(), _events(session, run["id"], wanted.since))
        for seq, event in written(events):
            if event.stream != "progress" and is_within(event.step, wanted.step):
                yield run, seq, event


def _runs(session: Session, wanted: LogSearch) -> Iterator[Row]:
    known = {
        "project": session.project,
        "run_id": None,
        "flow": wanted.flow or None,
        "since": wanted.since,
        "limit": _RUNS,
    }
    if wanted.run_id:
        with session.store.db.read() as reader:
            known["run_id"] = find_row(reader, session, wanted.run_id)["id"]
    before = "\uffff"
    while True:
        with session.store.db.read() as reader:
            page = reader.all("runs_logging", known | {"before": before})
        yield from page
        if len(page) < _RUNS:
            return
        before = page[-1]["id"]


def _events(session: Session, run_id: str, since: float | None) -> Iterator[Row]:
    span = {"run_id": run_id, "since": since, "after": 0, "limit": _EVENTS}
    while True:
        with session.store.db.read() as reader:
            page = reader.all("logs_after", span)
        yield from page
        if len(page) < _EVENTS:
            return
        span["after"] = page[-1]["seq"]
