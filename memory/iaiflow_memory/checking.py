"""What a new memory must be, before anything of it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from iaiflow_memory.clock import FOREVER, seconds
from iaiflow_memory.errors import BadInput
from iaiflow_memory.model import KINDS, New, Scope

#: The longest text, in characters.
LONGEST_TEXT: Final = 1_000_000
#: The longest name (subject, role, tag, id, part of a scope), in characters.
LONGEST_NAME: Final = 1_000

#: The most things that may be asked for at once.
MOST: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A new memory that may be written. Moments are seconds, `value` and `meta` JSON."""

    id: str | None
    text: str
    role: str
    kind: str
    subject: str
    predicate: str
    value: str | None
    confidence: float
    importance: float
    valid_from: float
    valid_to: float
    expires_at: float
    tags: tuple[str, ...]
    meta: str | None
    at: float
    source: str
    run_id: str
    node_id: str
    once: bool


def checked(new: New, now: float) -> Draft:
    """Return what may be written of a new memory.

    Args:
        new: The memory.
        now: The present, in seconds since the epoch.

    Raises:
        BadInput: A field cannot be used; the fault names it.
    """
    at = finite(seconds(new.at, now, "at"), "at")
    valid_from, valid_to = interval(
        seconds(new.valid_from, at, "valid_from"), seconds(new.valid_to, FOREVER, "valid_to")
    )
    value = as_json(new.value, "value")
    if new.id is not None and not new.id:
        raise BadInput("An id may not be empty", where="id", remedy="leave it out to get one")
    return Draft(
        id=new.id if new.id is None else name(new.id, "id"),
        text=text_or_value(new.text, value),
        role=name(new.role, "role"),
        kind=kind(new.kind),
        subject=name(new.subject, "subject"),
        predicate=name(new.predicate, "predicate"),
        value=value,
        confidence=share(new.confidence, "confidence"),
        importance=share(new.importance, "importance"),
        valid_from=valid_from,
        valid_to=valid_to,
        expires_at=seconds(new.expires_at, FOREVER, "expires_at"),
        tags=labels(new.tags),
        meta=as_json(dict(new.meta), "meta") if new.meta else None,
        at=at,
        source=name(new.source, "source"),
        run_id=name(new.run_id, "run_id"),
        node_id=name(new.node_id, "node_id"),
        once=bool(new.once),
    )


def checked_scope(scope: Scope) -> Scope:
    """Return a scope whose parts may be written.

    Raises:
        BadInput: A part cannot be used.
    """
    return Scope(
        name(scope.project, "project"),
        name(scope.agent, "agent"),
        name(scope.user, "user"),
        name(scope.thread, "thread"),
    )


def text_or_value(text: str, value: str | None) -> str:
    """Return the text, or the value when there is none."""
    body = _characters(text, "text", LONGEST_TEXT)
    if body.strip():
        return body
    if value is None:
        raise BadInput("There is no text", where="text", remedy="give a text or a value")
    return value


def name(value: str, where: str) -> str:
    """Return a short text."""
    return _characters(value, where, LONGEST_NAME)


def kind(value: str) -> str:
    """Return one of the kinds of memory."""
    if value not in KINDS:
        raise BadInput(
            f"{value!r} is not a kind of memory", where="kind", remedy=f"use {', '.join(KINDS)}"
        )
    return value


def count(value: int, where: str) -> int:
    """Return a number of things, 1 or more."""
    if type(value) is not int or not 1 <= value <= MOST:
        raise BadInput(
            f"{value!r} is not a number of things", where=where, remedy=f"give 1 to {MOST:,}"
        )
    return value


def number(value: int, where: str) -> int:
    """Return the number of a row."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadInput(f"{value!r} is not the number of a row", where=where)
    return value


def share(value: float, where: str) -> float:
    """Return a number from 0 to 1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_number or not 0 <= value <= 1:
        raise BadInput(f"{value!r} is not a number from 0 to 1", where=where)
    return float(value)


def labels(tags: Iterable[str]) -> tuple[str, ...]:
    """Return labels, sorted, each once."""
    if isinstance(tags, str):
        raise BadInput(
            "Tags are a list of labels, not one text", where="tags", remedy=f"[{tags!r}]"
        )
    if not isinstance(tags, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadInput(f"{tags!r} is no list of labels", where="tags")
    found = {name(tag, "tags") for tag in tags}
    if "" in found:
        raise BadInput("A label may not be empty", where="tags")
    return tuple(sorted(found))


def interval(start: float, end: float) -> tuple[float, float]:
    """Return an interval that holds at least a moment."""
    if not start < end:
        raise BadInput(
            f"What is so from {start} cannot end at {end}",
            where="valid_to",
            remedy="give a later moment",
        )
    return start, end


def finite(moment: float, where: str) -> float:
    """Return a moment that is not infinitely far away."""
    if not math.isfinite(moment):
        raise BadInput(f"{moment} is not a moment", where=where, remedy="give a finite one")
    return moment


def as_json(value: Any, where: str) -> str | None:
    """Return a value as JSON, None as None."""
    if value is None:
        return None
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"It cannot be stored as JSON: {error}", where=where) from error
    return _characters(text, where, LONGEST_TEXT)


def _characters(value: str, where: str, longest: int) -> str:
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadInput(f"A text is needed, not {type(value).__name__}", where=where)
    if len(value) > longest:
        raise BadInput(
            f"{len(value):,} characters are too many; {longest:,} are allowed",
            where=where,
            remedy="split it",
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"It holds an invalid character (U+{ord(value[error.start]):04X}) at {error.start}",
            where=where,
        ) from error
    return value
