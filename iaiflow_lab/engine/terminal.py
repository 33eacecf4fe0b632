"""Folds what a program writes to a terminal into lines: a redrawn progress bar is one line."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)?\s?%")


class TerminalText:
    """Takes pieces of text and gives back finished lines.

    A carriage return starts the line again, as terminals do; escape sequences are dropped.
    """

    def __init__(self) -> None:
        self._line = ""
        #: Whether the unfinished line has been redrawn.
        self.redrawn = False

    @property
    def line(self) -> str:
        """The unfinished line as a terminal would show it."""
        return self._line.rpartition("\r")[2]

    def feed(self, text: str) -> list[str]:
        """Take `text` and return the lines that it finished, each with its newline."""
        if "\x1b" in text:
            text = _CONTROL.sub("", text)
        *finished, rest = (self._line + text.replace("\r\n", "\n")).split("\n")
        body = rest.rstrip("\r")
        self.redrawn = "\r" in rest
        # keep one trailing carriage return: the next text overwrites this line
        self._line = body.rpartition("\r")[2] + ("\r" if rest != body else "")
        return [_last_state(line) + "\n" for line in finished]

    def rest(self) -> str:
        """Return the unfinished line and forget it."""
        rest = _last_state(self._line)
        self._line, self.redrawn = "", False
        return rest


def _last_state(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def percent(line: str) -> float | None:
    """Return the percentage that a progress bar shows; None when there is none."""
    match = _PERCENT.search(line)
    return min(float(match.group(1)), 100.0) if match else None
