"""The table of a run's nodes as people watch it: in a notebook, on a terminal, as plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from iaiflow_lab.lab.words import ORIGINS, SIGNS, STYLES, duration, elapsed, items, one_line
from iaiflow_lab.model.event import (
    CellOutput,
    Event,
    RunChanged,
    StepFinished,
    StepLog,
    StepRetrying,
)
from iaiflow_lab.model.progress import NodeLine, RunProgress
from iaiflow_lab.model.run import StepState

if TYPE_CHECKING:
    from rich.table import Table

#: Lines of a table; a longer one ends with a count of the others.
_MOST_LINES: Final = 200

#: JupyterLab's own colours, light and dark; the fallbacks serve other front ends.
_CSS: Final = """
.iaiflow-run table { border-collapse: collapse; font-size: var(--jp-ui-font-size1, 13px); }
.iaiflow-run th, .iaiflow-run td { text-align: left; padding: 2px 10px; white-space: nowrap;
  color: var(--jp-ui-font-color1, inherit); }
.iaiflow-run th { color: var(--jp-ui-font-color2, inherit); font-weight: 600;
  border-bottom: 1px solid var(--jp-border-color1, #bdbdbd); }
.iaiflow-run td.n { text-align: right; font-variant-numeric: tabular-nums; }
.iaiflow-run td.t { max-width: 40em; overflow: hidden; text-overflow: ellipsis;
  color: var(--jp-ui-font-color2, inherit); }
.iaiflow-run .completed { color: var(--jp-success-color0, #2e7d32); }
.iaiflow-run .failed { color: var(--jp-error-color0, #c62828); font-weight: 600; }
.iaiflow-run .cancelled, .iaiflow-run .retrying, .iaiflow-run .waiting {
  color: var(--jp-warn-color0, #e65100); }
.iaiflow-run .running { color: var(--jp-brand-color0, #1565c0); }
.iaiflow-run .pending, .iaiflow-run .skipped { color: var(--jp-ui-font-color3, #757575); }
.iaiflow-run progress { width: 6em; vertical-align: middle; }
.iaiflow-run p { margin: 4px 10px; color: var(--jp-ui-font-color2, inherit); }
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, every cell as text."""

    name: str
    depth: int
    state: StepState
    time: str
    rows: str
    items: str
    text: str
    #: How far it is, from 0 to 1; None when it did not say or does not run.
    share: float | None


def rows(progress: RunProgress, now: float, prefix: str = "") -> Iterator[Row]:
    """Yield the lines of a run at the moment `now`, in seconds since the Unix epoch."""
    for line in list(progress.lines.values())[:_MOST_LINES]:
        shown = line.path.removeprefix(prefix)
        yield Row(
            name=shown.rpartition("/")[2],
            depth=shown.count("/"),
            state=line.state,
            time=duration(elapsed(line, now)),
            rows="" if line.rows is None else f"{line.rows:,}",
            items=items(line),
            text=one_line(line.text),
            share=_share(line),
        )


def html(progress: RunProgress, now: float, foot: str, prefix: str = "") -> str:
    """Return the table for a notebook; it says the same where styles are stripped.

    Args:
        progress: The run.
        now: The moment, in seconds since the Unix epoch.
        foot: What stands below the table.
        prefix: What stands before every step path, and is not shown.
    """
    lines = "".join(map(_html_row, rows(progress, now, prefix)))
    return (
        f'<div class="iaiflow-run"><style>{_CSS}</style><table><thead><tr><th>Node</th>'
        "<th>State</th><th>Time</th><th>Rows</th><th>Items</th><th>Last output</th></tr></thead>"
        f"<tbody>{lines}</tbody></table><p>{escape(_foot(progress, foot))}</p></div>"
    )


def text(progress: RunProgress, now: float, foot: str, prefix: str = "") -> str:
    """Return the same as plain text."""
    cells = [
        (
            "  " * row.depth + row.name,
            f"{SIGNS[row.state]} {row.state}",
            row.time,
            row.rows,
            row.items,
            row.text,
        )
        for row in rows(progress, now, prefix)
    ]
    head = ("Node", "State", "Time", "Rows", "Items", "Last output")
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *cells)
    )
    return "\n".join([*padded, "", _foot(progress, foot)])


def rich_table(progress: RunProgress, now: float, foot: str, prefix: str = "") -> Table:
    """Return the same for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim", caption_justify="left")
    table.add_column("Node", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for name in ("Time", "Rows"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Items", no_wrap=True)
    table.add_column("Last output")  # where it is narrow, this column alone gives way
    for row in rows(progress, now, prefix):
        share = row.share
        table.add_row(
            Text("  " * row.depth + row.name),
            Text(f"{SIGNS[row.state]} {row.state}", style=STYLES[row.state]),
            row.time,
            row.rows,
            Text(row.items) if share is None else ProgressBar(1.0, share, width=12),
            Text(row.text, no_wrap=True, overflow="ellipsis"),
        )
    table.caption = Text(_foot(progress, foot))
    return table


def line_about(event: Event, prefix: str = "") -> str:
    """Return what plain output says about an event; "" when it is a detail."""
    match event:
        case RunChanged(state=state, reason=reason):
            return f"run {state}" + (f": {reason}" if reason else "")
        case StepFinished(step=step, state=state, usage=usage, error=error, source=source):
            took = "" if usage is None else f" in {duration(usage.duration_s)}"
            count = "" if usage is None or usage.rows is None else f", {usage.rows:,} rows"
            origin = ORIGINS.get(source, "")
            why = "" if error is None else f": {one_line(error.message, 200)}"
            return f"{step.removeprefix(prefix)} {state}{took}{count}{origin}{why}"
        case StepRetrying(step=step, attempt=attempt, error=error):
            reason = one_line(error.message, 200)
            return f"{step.removeprefix(prefix)} failed at attempt {attempt}: {reason}"
        case StepLog(step=step, stream=stream, text=said) if stream != "progress":
            return _quoted(step.removeprefix(prefix), said)
        case CellOutput(step=step, output={"text": str() as said}):
            return _quoted(step.removeprefix(prefix), said)
        case _:
            return ""


def _quoted(name: str, said: str) -> str:
    return "\n".join(f"{name} | {part}" for part in said.rstrip().splitlines())


def _foot(progress: RunProgress, foot: str) -> str:
    more = len(progress.lines) - _MOST_LINES
    return f"{foot} · {more:,} more nodes" if more > 0 else foot


def _share(line: NodeLine) -> float | None:
    return line.share if line.state is StepState.RUNNING else None


def _html_row(row: Row) -> str:
    indent = "&emsp;" * row.depth
    bar = row.items
    if row.share is not None:
        done = f"{row.share:.0%}"
        bar = f'<progress value="{row.share:.3f}" max="1">{done}</progress> {done}'
    return (
        f"<tr><td>{indent}{escape(row.name)}</td>"
        f'<td class="{row.state}">{SIGNS[row.state]} {row.state}</td>'
        f'<td class="n">{row.time}</td><td class="n">{row.rows}</td>'
        f'<td>{bar}</td><td class="t">{escape(row.text)}</td></tr>'
    )
