"""Lists as notebooks show them: the same columns as commands print, as a table or as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Final, TypeVar

from iaiflow_lab.lab.words import duration as length
from iaiflow_lab.lab.words import local_time, one_line

if TYPE_CHECKING:
    from iaiflow_lab.model.schedule import Moment
    from iaiflow_lab.model.signature import NodeSignature
    from iaiflow_lab.service.flows import FlowSave, FlowSummary
    from iaiflow_lab.service.history import RunFile, RunSummary
    from iaiflow_lab.service.notifications import Rule
    from iaiflow_lab.service.schedule_rows import Miss, Schedule
    from iaiflow_lab.service.secrets import SecretSummary

T = TypeVar("T")
Columns = Mapping[str, Callable[[T], str]]

#: How many items are shown; the others are counted.
_SHOWN: Final = 100
#: Longest cell of a table as text, in characters.
_CELL: Final = 60


class Listing(list[T]):
    """A list that shows itself as a table.

    Args:
        items: What is in it.
        columns: How each column's cell is made from an item, by the column's name.
    """

    def __init__(self, items: Iterable[T], columns: Columns[T]) -> None:
        super().__init__(items)
        self._columns = columns

    def __repr__(self) -> str:
        """Return the table as text."""
        if not self:
            return "[]"
        cells = [[one_line(cell, _CELL) for cell in row] for row in self._rows()]
        table = [list(self._columns), *cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n".join([*lines, *self._rest()])

    def _repr_html_(self) -> str:
        """Return the table as HTML; whatever is in it is text."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        rest = "".join(f"<p>{escape(line)}</p>" for line in self._rest())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"

    def _rows(self) -> list[list[str]]:
        return [[cell(item) for cell in self._columns.values()] for item in self[:_SHOWN]]

    def _rest(self) -> list[str]:
        more = len(self) - _SHOWN
        return [f"and {more:,} more"] if more > 0 else []


def why(run: RunSummary) -> str:
    """Say what a run waits for, else why it is in its state."""
    from iaiflow_lab.model.progress import asked

    if run.error is not None:
        return run.error.message
    waits = [wait for wait in run.waits if wait.answered_at is None]
    if not waits:
        return run.reason
    wait = waits[0]
    more = f" (and {len(waits) - 1:,} more)" if len(waits) > 1 else ""
    return f"{wait.step}: {asked(wait.kind, wait.name, wait.message, wait.due)}{more}"


def _when(schedule: Schedule) -> str:
    from iaiflow_lab.model.schedule import describe

    return describe(schedule.spec.rule)


RUNS: Final[Columns[RunSummary]] = {
    "Run": lambda run: run.id,
    "State": lambda run: run.state,
    "Flow": lambda run: run.flow,
    "Created": lambda run: local_time(run.created_at),
    "Time": lambda run: length(run.duration_s),
    "Reason": lambda run: one_line(why(run), 200),
}
FILES: Final[Columns[RunFile]] = {
    "Name": lambda file: file.name,
    "Step": lambda file: file.step,
    "Bytes": lambda file: f"{file.size:,}",
    "Path": lambda file: "gone" if file.path is None else str(file.path),
}
FLOWS: Final[Columns[FlowSummary]] = {
    "Flow": lambda flow: flow.path,
    "Name": lambda flow: flow.problem or flow.name,
    "Version": lambda flow: flow.version[:12],
    "Saved": lambda flow: local_time(flow.saved_at),
}
SAVES: Final[Columns[FlowSave]] = {
    "Number": lambda save: str(save.number),
    "Version": lambda save: save.version[:12],
    "Saved": lambda save: local_time(save.saved_at),
    "Note": lambda save: save.note,
}
NODES: Final[Columns[NodeSignature]] = {
    "Type": lambda node: node.type,
    "Title": lambda node: node.title,
    "Category": lambda node: node.category,
    "Summary": lambda node: node.summary,
}
SCHEDULES: Final[Columns[Schedule]] = {
    "Name": lambda schedule: schedule.spec.name,
    "State": lambda schedule: schedule.state,
    "Target": lambda schedule: schedule.spec.target,
    "Next": lambda schedule: local_time(schedule.next_due),
    "Last run": lambda schedule: schedule.last_state or "",
    "When": _when,
}
MOMENTS: Final[Columns[Moment]] = {
    "When": lambda moment: moment.local.replace("T", " "),
    "Note": lambda moment: moment.note,
}
MISSES: Final[Columns[Miss]] = {
    "Schedule": lambda miss: miss.name,
    "Due": lambda miss: local_time(miss.due_at),
    "Reason": lambda miss: miss.reason,
    "Why": lambda miss: miss.message,
}
SECRETS: Final[Columns[SecretSummary]] = {
    "Secret": lambda secret: secret.name,
    "Version": lambda secret: str(secret.version),
    "Set": lambda secret: local_time(secret.created_at),
    "By": lambda secret: secret.created_by,
    "Used in": lambda secret: ", ".join(secret.used_in),
}
RULES: Final[Columns[Rule]] = {
    "Rule": lambda rule: rule.id,
    "State": lambda rule: "paused" if rule.paused else "active",
    "Flow": lambda rule: rule.spec.flow or "all flows",
    "Tells": lambda rule: ", ".join(rule.spec.events),
    "To": lambda rule: f"{rule.spec.channel} {rule.spec.target}",
    "Sent/open/lost": lambda rule: f"{rule.sent}/{rule.pending}/{rule.given_up}",
    "Trouble": lambda rule: one_line(rule.error, 200),
}
