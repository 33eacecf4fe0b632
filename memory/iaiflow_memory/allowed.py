"""Which memories a question may see, as a condition in SQL.

Only what limits the question is written into it: planning a statement takes DuckDB longer than
running it over a few memories.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from iaiflow_memory.clock import FOREVER, seconds
from iaiflow_memory.grown import Columns
from iaiflow_memory.model import AsOf, Query, Scope
from iaiflow_memory.queries import QUERIES
from iaiflow_memory.store import Reader, Row

#: Up to so many scopes stand in the condition itself, where DuckDB skips what holds none of them.
_FEW: Final = 64


@dataclass(frozen=True, slots=True)
class Allowed:
    """A condition over the table `items`."""

    #: The condition, in SQL.
    condition: str
    #: The values of its parameters, by name.
    values: Mapping[str, Any]
    #: The scopes that it is limited to; None when it is to none.
    scopes: tuple[int, ...] | None = None

    @property
    def place(self) -> str:
        """The part of the condition that names the scopes."""
        return "true" if self.scopes is None else _among(self.scopes)

    def rows(self, reader: Reader, statement: str, values: Mapping[str, Any]) -> list[Row]:
        """Return all rows of a statement with `{condition}` in it.

        Args:
            reader: The memory.
            statement: The name of a statement in queries/*.sql, or SQL.
            values: The values of its own parameters, by name.
        """
        return reader.rows(self._sql(statement), {**self.values, **values})

    def columns(self, reader: Reader, statement: str) -> Columns:
        """Return all rows of a statement with `{condition}` in it, as an array for each column.

        Args:
            reader: The memory.
            statement: The name of a statement in queries/*.sql, or SQL.
        """
        return reader.columns(self._sql(statement), self.values)

    def _sql(self, statement: str) -> str:
        sql = QUERIES.get(statement, statement)
        return sql.replace("{condition}", self.condition).replace("{place}", self.place)


def allowed(reader: Reader, query: Query, now: float, *, ended: bool = False) -> Allowed:
    """Return what a question may see: of a point on both axes of time, of a scope, not expired.

    Without `since` and `until`, what is so at one moment is found: now, or that of `as_of`.

    Args:
        reader: The memory.
        query: What limits the question.
        now: The present, in seconds since the epoch.
        ended: Whether that is seen, too, that stands or is so no longer.
    """
    parts, values = _in_time(query, now, ended=ended)
    scopes = _scopes(reader, query)
    if scopes is not None:
        parts.append(_among(scopes))
        if len(scopes) > _FEW:
            values["scopes"] = list(scopes)
    if query.kinds:
        parts.append("kind IN (SELECT unnest($kinds::VARCHAR[]))")
        values["kinds"] = list(query.kinds)
    if query.tags:
        parts.append("list_has_all(tags, $tags::VARCHAR[])")
        values["tags"] = list(query.tags)
    if query.subject:
        parts.append("subject = $subject")
        values["subject"] = query.subject
    return Allowed(" AND ".join(parts), values, scopes)


def _in_time(query: Query, now: float, *, ended: bool) -> tuple[list[str], dict[str, Any]]:
    point = query.as_of or AsOf()
    recorded = seconds(point.recorded, now, "as_of.recorded")
    valid = seconds(point.valid, recorded, "as_of.valid")
    since, until = query.since, query.until
    if since == -FOREVER and until == FOREVER and not ended:
        since, until = valid, math.nextafter(valid, FOREVER)
    parts = ["valid_from < $until", "valid_to > $since"]
    values: dict[str, Any] = {"since": since, "until": until}
    if ended or point.recorded is not None:
        parts.append("recorded_from <= $recorded")
        values["recorded"] = recorded
    if not ended:
        present = point.recorded is None
        parts.append("recorded_to = 'infinity'" if present else "recorded_to > $recorded")
        parts.append("expires_at > $alive")
        values["alive"] = valid
    return parts, values


def _scopes(reader: Reader, query: Query) -> tuple[int, ...] | None:
    scope = query.scope
    if query.everywhere or scope == Scope():
        return None
    values = [scope.project, scope.agent, scope.user, scope.thread]
    rows = reader.kept("scopes_within", *values)
    if len(rows) <= _FEW:  # those of what is found are among them
        reader.keep_each("item_scopes", rows)
    return tuple(sorted(row[0] for row in rows))


def _among(scopes: tuple[int, ...]) -> str:
    if not scopes:
        return "false"
    if len(scopes) > _FEW:
        return "scope IN (SELECT unnest($scopes::INTEGER[]))"
    return f"scope IN ({', '.join(map(str, scopes))})"
