"""What steps wrote, out of the journal: log lines of nodes, and what cells of notebooks print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from iaiflow_lab.model import event as ev
from iaiflow_lab.notebook.text import fold
from iaiflow_lab.store.database import Row

_decode = msgspec.json.Decoder(ev.StepLog | ev.CellOutput).decode


@dataclass(slots=True)
class _Line:
    """A line that has not ended yet; its pieces are put together only when they are read."""

    #: Number of the event of its last piece.
    seq: int = 0
    at: float = 0.0
    pieces: list[str] = field(default_factory=list[str])

    def add(self, seq: int, at: float, piece: str) -> None:
        self.seq, self.at = seq, at
        self.pieces.append(piece)
        if "\r" in piece:  # a progress bar takes no more room than its last state
            self.pieces = [self.text]

    @property
    def text(self) -> str:
        return fold("".join(self.pieces))


#: The unfinished lines of one step, by cell and stream.
_Begun = dict[tuple[int, str], _Line]


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
    for step, begun in steps.items():
        yield from (_logged(step, key, line) for key, line in begun.items())


def _printed(begun: _Begun, seq: int, event: ev.CellOutput) -> Iterator[tuple[int, ev.StepLog]]:
    """Yield the lines that a piece ends, and what earlier cells left unfinished."""
    for key in [key for key in begun if key[0] != event.index]:
        yield _logged(event.step, key, begun.pop(key))
    stream, text = str(event.output.get("name", "")), str(event.output.get("text", ""))
    key = (event.index, stream)
    whole, newline, rest = text.rpartition("\n")
    if newline:
        line = begun.pop(key, _Line())
        line.add(seq, event.at, whole + newline)
        yield _logged(event.step, key, line)
    if rest:
        begun.setdefault(key, _Line()).add(seq, event.at, rest)


def _logged(step: str, key: tuple[int, str], line: _Line) -> tuple[int, ev.StepLog]:
    return line.seq, ev.StepLog(at=line.at, step=step, stream=key[1], text=line.text)
