"""Scopes, by number: a memory holds the number of its scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple

from iaiflow_memory.model import ANY, Scope
from iaiflow_memory.numbers import Numbers
from iaiflow_memory.store import Reader, Writer


class Scopes:
    """Gives each scope its number.

    Args:
        numbers: Gives numbers to new scopes.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._known: dict[Scope, int] = {}

    def clear(self) -> None:
        """Remember nothing: what was written last is not in the file."""
        self._known.clear()

    def number(self, writer: Writer, scope: Scope) -> int:
        """Return the number of a scope, which is written down when it is new."""
        number = self._known.get(scope)
        if number is None:
            parts = [scope.project, scope.agent, scope.user, scope.thread]
            row = writer.one("scopes_find", parts)
            number = row[0] if row else self._numbers.take("scopes")
            if row is None:
                writer.run("scopes_put", [number, *parts])
                writer.run("totals_put", [number])
            self._known[scope] = number
        return number


def holds(limit: Scope, scope: Scope) -> bool:
    """Return whether what is limited to one scope may see the other: "" limits nothing."""
    pairs = zip(astuple(limit), astuple(scope), strict=True)
    return all(not wanted or wanted == given for wanted, given in pairs)


def all_within(reader: Reader, numbers: Iterable[int], limit: Scope) -> bool:
    """Return whether what is limited to a scope may see all that is of the scopes `numbers`."""
    if limit == ANY:
        return True
    rows = reader.rows("scopes_of", [list(set(numbers))])
    return all(holds(limit, Scope(*row)) for row in rows)


def may_share(scope: Scope, other: Scope) -> bool:
    """Return whether a text may pass from one scope to the other: project and person agree."""
    pairs = ((scope.project, other.project), (scope.user, other.user))
    return all(not ours or not theirs or ours == theirs for ours, theirs in pairs)
