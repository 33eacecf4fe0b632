"""What steps and cells wrote, put together from the pieces in which it was recorded."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.model import event as ev
from iaiflow_lab.notebook.text import fold
from iaiflow_lab.service import written as written_module
from iaiflow_lab.service.written import written


def rows(*events):
    bodies = [msgspec.json.encode(event).decode() for event in events]
    return [{"seq": seq, "body": body} for seq, body in enumerate(bodies, start=1)]


def cell(text, index=0, step="notebook", name="stdout"):
    output = {"output_type": "stream", "name": name, "text": text}
    return ev.CellOutput(at=1.0, step=step, index=index, output=output)


def texts(*events):
    return [(seq, line.stream, line.text) for seq, line in written(rows(*events))]


def test_a_line_that_was_cut_is_put_together():
    assert texts(cell("one\ntw"), cell("o\nthree")) == [
        (1, "stdout", "one\n"),
        (2, "stdout", "two\n"),
        (2, "stdout", "three"),
    ]


def test_cells_streams_and_steps_are_kept_apart():
    found = texts(
        cell("a"), cell("warned", name="stderr"), cell("b", step="other"), cell("c\n", index=1)
    )
    assert [text for _, _, text in found] == ["a", "warned", "c\n", "b"]


def test_progress_bars_are_shown_in_their_last_state():
    found = texts(cell("\r10 %"), cell("\r50 %"), cell("\r100 %\ndone\n"))
    assert found == [(3, "stdout", "100 %\ndone\n")]


def test_other_outputs_are_left_out_and_logs_stay_as_they_are():
    shown = {"output_type": "display_data", "data": {"text/plain": "a table"}}
    log = ev.StepLog(at=1.0, step="a", stream="log", text="no line end")
    found = texts(ev.CellOutput(at=1.0, step="notebook", index=0, output=shown), log)
    assert found == [(2, "log", "no line end")]


def test_a_long_line_is_read_once_however_many_pieces_it_has(monkeypatch):
    read = []

    def counted(text):
        read.append(len(text))
        return fold(text)

    monkeypatch.setattr(written_module, "fold", counted)
    assert texts(*[cell(".")] * 1_000) == [(1_000, "stdout", "." * 1_000)]
    assert sum(read) == 1_000


@given(st.lists(st.text("ab\r\n", max_size=6), max_size=8))
def test_nothing_is_lost_however_it_is_cut(pieces):
    found = "".join(text for _, _, text in texts(*(cell(piece) for piece in pieces)))
    assert found == fold("".join(pieces))
