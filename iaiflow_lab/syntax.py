"""Reads Python source as a tree, in any thread; nothing in it is executed."""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any, Final

# Until 3.13 CPython counts the depth of a tree once for all threads: two that build trees at once
# may fail with SystemError (or RecursionError), however good the source.
_one_at_a_time: Final = threading.Lock()
_ATTEMPTS: Final = 10


def parse(source: str | bytes, file: str = "<unknown>") -> ast.Module:
    """Return the tree of a module; what it would be warned of is kept silent.

    Raises:
        SyntaxError: The source is no Python.
        ValueError: It holds null bytes.
        RecursionError: It is nested too deeply, also as `MemoryError`.
    """
    return _tree(source, file, "exec")


def parse_expression(source: str) -> ast.expr:
    """Return the tree of one expression, as `parse` does."""
    return _tree(source, "<unknown>", "eval").body


def _tree(source: str | bytes, file: str, mode: str) -> Any:
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_ATTEMPTS - 1):
            try:
                return ast.parse(source, file, mode)
            except SystemError:  # a thread that is not ours builds a tree as well
                continue
        return ast.parse(source, file, mode)
