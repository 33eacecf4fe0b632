"""What steps wrote, out of the journal: log lines of nodes, and what cells of notebooks print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from iaiflow_lab.model import event as ev
from iaiflow_lab.notebook.text import fold
from iaiflow_lab.store.database import Row

_decode = msgspec.json.Decoder(ev.StepLog | ev.CellOutput).decode

#: The unfinished lines of one step: by cell and stream, each with its last event's number.
_Begun = dict[tuple[int, str], tuple[int, ev.StepLog]]


def written(rows: Iterable[Row]) -> Iterator[tuple[int, ev.StepLog]]:
    """Yield what was written, each with its event's number.

    A cell's output is recorded in pieces as it appears: a line that was cut is put together and has
    the number of its last piece. Other outputs of cells (tables, charts, errors) are left out.

    Args:
        rows: Events `step_log` and `cell_output` of one run, as `seq` and `body`, in their order.
    """
    steps: dict[str, _Begun] = {}
    for row in rows:
        seq, event = row["seq"], _decode(row["body"])
        if isinstance(event, ev.StepLog):
            yield seq, event
        elif event.output.get("output_type") == "stream":
            yield from _printed(steps.setdefault(event.step, {}), seq, event)
    for begun in steps.values():
        yield from begun.values()


def _printed(begun: _Begun, seq: int, event: ev.CellOutput) -> Iterator[tuple[int, ev.StepLog]]:
    """Yield the lines that a piece ends, and what earlier cells left unfinished."""
    for key in [key for key in begun if key[0] != event.index]:
        yield begun.pop(key)
    stream, text = str(event.output.get("name", "")), str(event.output.get("text", ""))
    key = (event.index, stream)
    if key in begun:
        text = begun.pop(key)[1].text + text
    whole, newline, rest = text.rpartition("\n")
    if newline:
        yield seq, ev.StepLog(at=event.at, step=event.step, stream=stream, text=fold(whole) + "\n")
    if rest:
        begun[key] = (seq, ev.StepLog(at=event.at, step=event.step, stream=stream, text=fold(rest)))
