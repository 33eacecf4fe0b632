"""What a program wrote, as lines that any reader of messages shows as what they are: text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from iaiflow_lab.engine.terminal import TerminalText

#: Longest line, in characters.
_LINE: Final = 300
#: Unicode categories of what is seen nowhere, or moves what is seen.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
#: Joiners shape emoji and several scripts.
_JOINERS: Final = frozenset("\u200c\u200d")


def one_line(text: str, limit: int = _LINE) -> str:
    """Return a text as one line without control and invisible characters, cut to `limit`."""
    shown = " ".join("".join(map(_visible, _folded(text))).split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def last_lines(texts: Sequence[str], most: int) -> list[str]:
    """Return the last lines of what was written in pieces, each bounded; redrawn lines are one."""
    lines = _folded("".join(texts)).rstrip().splitlines()
    shown = ("".join(map(_visible, line.expandtabs(4))).rstrip() for line in lines[-most:])
    return [line if len(line) <= _LINE else f"{line[: _LINE - 1]}…" for line in shown]


def _folded(text: str) -> str:
    terminal = TerminalText()
    return "".join((*terminal.feed(text), terminal.rest()))


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    hidden = unicodedata.category(character) in _HIDDEN and character not in _JOINERS
    return "" if hidden else character
