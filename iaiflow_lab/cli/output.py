"""How commands print: JSON for programs, tables and short times for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from iaiflow_lab.lab.words import STYLES, duration, local_time, one_line

__all__ = [
    "AsJson",
    "console",
    "duration",
    "local_time",
    "one_line",
    "plain",
    "print_json",
    "print_table",
    "styled",
]

if TYPE_CHECKING:
    from rich.console import Console

#: The option that every command has which prints data.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: Width of tables that go to a file or another program, in characters.
_WIDE: Final = 200


def print_json(data: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def console() -> Console:
    """Return the terminal that tables are printed on."""
    from rich.console import Console

    is_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_known else _WIDE)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], giving: Collection[str] = ()
) -> None:
    """Print a table without frames.

    Args:
        columns: Their names.
        rows: Their cells: text, a rich renderable, or None for nothing.
        giving: The columns that give way where the terminal is narrow, besides the last.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for number, column in enumerate(columns):
        gives = column in giving or number == len(columns) - 1
        table.add_column(column, no_wrap=not gives)
    for row in rows:
        table.add_row(*("" if cell is None else cell for cell in row))
    console().print(table)


def styled(state: str) -> Any:
    """Return a state in its colour."""
    from rich.text import Text

    return Text(state, style=STYLES.get(state, ""))


def plain(text: str) -> Any:
    """Return text in which brackets mean nothing."""
    from rich.text import Text

    return Text(text)


def cropped(text: str) -> Any:
    """Return text in which brackets mean nothing, cut where its column is too narrow."""
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")
