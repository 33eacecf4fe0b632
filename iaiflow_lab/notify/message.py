"""Messages: what happened to which runs, and how to look, as text and as JSON."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from iaiflow_lab.model.moment import format_duration
from iaiflow_lab.model.progress import asked
from iaiflow_lab.model.run import NAMED, WaitKind
from iaiflow_lab.notify.text import last_lines, one_line
from iaiflow_lab.service.missed import Missed
from iaiflow_lab.service.notifications import Told
from iaiflow_lab.service.outbox import Item, Letter
from iaiflow_lab.store.waits import Wait

#: Last lines of a failing node: where a message tells one thing, and where it tells several.
_LINES: Final = 20
_FEW_LINES: Final = 5
#: Most waits of a run that are told.
_WAITS: Final = 10
_SUBJECT: Final = 150


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, whatever the channel."""

    #: The same each time that it is sent.
    id: str
    #: One line.
    subject: str
    #: Plain text.
    text: str
    #: `run.failed`, `run.completed`, `run.waiting`, `run.late`, `schedule.missed`, or
    #: `run.several` for a mixture.
    type: str
    #: The same for programs, as JSON.
    data: dict[str, Any]


def compose(letter: Letter, link: str) -> Message:
    """Write a message.

    Args:
        letter: What it tells.
        link: Where a run is looked at, with `{run}` where its id belongs; "": nowhere.
    """
    lines = _LINES if letter.count == 1 else _FEW_LINES
    parts = ["\n".join(_paragraph(item, link, lines)) for item in letter.items]
    if (more := letter.count - len(letter.items)) > 0:
        parts.append(f"And {more:,} more; `iaiflow runs ls` lists them.")
    kinds = {item.told for item in letter.items}
    return Message(
        id=letter.id,
        subject=_subject(letter),
        text="\n\n".join(parts) + "\n",
        type=_type(kinds),
        data={
            "rule": letter.rule_id,
            "count": letter.count,
            "items": [_data(item, link, lines) for item in letter.items],
        },
    )


def _type(kinds: set[Told]) -> str:
    if kinds == {Told.MISSED}:
        return "schedule.missed"
    return f"run.{kinds.pop()}" if len(kinds) == 1 else "run.several"


def _subject(letter: Letter) -> str:
    if letter.count == 1:
        return one_line(_headline(letter.items[0]), _SUBJECT)
    counted = Counter(item.told for item in letter.items)
    counts = ", ".join(f"{count} {told}" for told, count in counted.items())
    unlisted = letter.count - len(letter.items)
    more = f", and {unlisted:,} more" if unlisted else ""
    flows = ", ".join(dict.fromkeys(one_line(item.flow) for item in letter.items))
    return one_line(f"{counts}{more}: {flows}", _SUBJECT)


def _headline(item: Item) -> str:
    flow = one_line(item.flow)
    if item.told is Told.FAILED:
        step = one_line(item.error.step) if item.error else ""
        return f"{flow} failed" + (f" in {step}" if step else "")
    if item.told is Told.COMPLETED:
        return f"{flow} completed{_took(item)}"
    if item.told is Told.WAITING:
        return f"{flow} waits for an answer"
    if item.missed is not None:
        moments = "a moment" if item.missed.count == 1 else f"{item.missed.count:,} moments"
        return f"Schedule {one_line(item.missed.name)} missed {moments} of {flow}"
    return f"{flow} is late"


def _paragraph(item: Item, link: str, lines: int) -> list[str]:
    made = [f"{_headline(item)}.", *_details(item, lines), f"To look: {_look(item)}"]
    return [*made, _linked(item, link)] if link and item.run_id else made


def _details(item: Item, lines: int) -> Iterable[str]:
    if item.told is Told.LATE:
        yield _lateness(item)
    if item.missed is not None:
        yield _when_missed(item.missed)
        yield one_line(item.missed.message, 1_000)
    if item.told is Told.FAILED and item.error is not None:
        yield f"[{one_line(item.error.code)}] {one_line(item.error.message, 1_000)}"
        if said := _said(item, lines):
            yield "Its last lines:"
            yield from (f"  | {line}" for line in said)
    for wait in item.waits[:_WAITS]:
        yield from _wait(item, wait)
    if (more := len(item.waits) - _WAITS) > 0:
        yield f"And {more:,} more steps wait."


def _said(item: Item, lines: int) -> list[str]:
    """Return the last lines of the failing node: what it wrote, else where it raised."""
    trace = [item.error.trace] if item.error else []
    return last_lines(item.said, lines) or last_lines(trace, lines)


def _wait(item: Item, wait: Wait) -> Iterable[str]:
    question = one_line(asked(wait.kind, wait.name, wait.message, wait.due), 1_000)
    limit = "" if wait.due is None else f" (until {_shown(wait.due)})"
    yield f"{one_line(wait.step)}: {question}{limit}"
    if answer := _answer(item, wait):
        yield f"  {answer}"


def _answer(item: Item, wait: Wait) -> str:
    if wait.kind is WaitKind.APPROVAL:
        step = shlex.quote(one_line(wait.step))
        return f"iaiflow runs approve {item.run_id} {step}  (or with --refuse)"
    if wait.kind in NAMED:
        return f"iaiflow runs signal {item.run_id} {shlex.quote(one_line(wait.name))}"
    return ""


def _lateness(item: Item) -> str:
    assert item.due_at is not None
    due = f"It was due at {_shown(item.due_at)}"
    if item.started_at is None:
        return f"{due} and had not begun {_time(item.at - item.due_at)} later ({item.state})."
    return f"{due} and began {_time(item.started_at - item.due_at)} later."


def _when_missed(missed: Missed) -> str:
    if missed.count == 1:
        return f"It was due at {_shown(missed.last_due)}."
    return f"They were due from {_shown(missed.first_due)} to {_shown(missed.last_due)}."


def _took(item: Item) -> str:
    if item.started_at is None or item.ended_at is None:
        return ""
    return f" in {_time(item.ended_at - item.started_at)}"


def _look(item: Item) -> str:
    if item.missed is not None:
        return f"iaiflow schedule misses {item.missed.schedule_id}"
    return f"iaiflow runs show {item.run_id}"


def _linked(item: Item, link: str) -> str:
    return link.replace("{run}", quote(item.run_id, safe=""))


def _data(item: Item, link: str, lines: int) -> dict[str, Any]:
    error = item.error
    return {
        "event": item.told.value,
        "run": item.run_id,
        "flow": one_line(item.flow),
        "state": None if item.state is None else item.state.value,
        "at": _iso(item.at),
        "error": None
        if error is None
        else {
            "code": one_line(error.code),
            "message": one_line(error.message, 1_000),
            "step": one_line(error.step),
        },
        "last_lines": _said(item, lines) if item.told is Told.FAILED else [],
        "waits": [
            {
                "step": one_line(wait.step),
                "kind": wait.kind.value,
                "name": one_line(wait.name),
                "message": one_line(wait.message, 1_000),
                "due": None if wait.due is None else _iso(wait.due),
            }
            for wait in item.waits[:_WAITS]
        ],
        "due_at": None if item.due_at is None else _iso(item.due_at),
        "started_at": None if item.started_at is None else _iso(item.started_at),
        "ended_at": None if item.ended_at is None else _iso(item.ended_at),
        "missed": None if item.missed is None else _missed_data(item.missed),
        "look": _look(item),
        "link": _linked(item, link) if link and item.run_id else "",
    }


def _missed_data(missed: Missed) -> dict[str, Any]:
    return {
        "schedule": missed.schedule_id,
        "name": one_line(missed.name),
        "count": missed.count,
        "first_due": _iso(missed.first_due),
        "last_due": _iso(missed.last_due),
        "message": one_line(missed.message, 1_000),
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 10 else format_duration(round(seconds))
