"""Where in a flow file's text a place such as `nodes.clean.config.url` stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from iaiflow_lab.model.json_value import spell_place

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def lines_of(text: str, places: Iterable[str]) -> dict[str, int]:
    """Return the line (from 1) of each place in a JSON text.

    A place that is not there has the line of what would hold it.

    Args:
        text: JSON.
        places: Places as problems name them.
    """
    wanted = set(places)
    prefixes = {prefix for place in wanted for prefix in _prefixes(place)}
    found = {spelled: at for spelled, at in _values(text) if spelled in prefixes}
    lines: dict[str, int] = {}
    for place in wanted:
        nearest = next((found[prefix] for prefix in _prefixes(place) if prefix in found), 0)
        lines[place] = text.count("\n", 0, nearest) + 1
    return lines


def _prefixes(place: str) -> Iterator[str]:
    """Yield the place and all that hold it, from the inside out."""
    yield place
    for match in reversed(list(re.finditer(r"[.\[]", place))):
        yield place[: match.start()]


def _values(text: str) -> Iterator[tuple[str, int]]:
    """Yield the place of every value in the text and where its key, or itself, starts."""
    path: list[str | int] = []
    key_at = 0
    previous = ""
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in "{[":
            if previous != ":" and path:
                yield spell_place(path), token.start()
            path.append("" if sign == "{" else 0)
        elif sign in "}]":
            path.pop()
        elif sign == "," and path and isinstance(path[-1], int):
            path[-1] += 1
        elif sign == ":":
            yield spell_place(path), key_at
        elif path and isinstance(path[-1], str) and previous in ("{", ","):
            path[-1], key_at = str(json.loads(sign)), token.start()
        elif path and isinstance(path[-1], int):
            yield spell_place(path), token.start()
        previous = sign
