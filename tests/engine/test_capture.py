"""What nodes write goes to their own steps, and only theirs."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys
import threading
import warnings
from importlib import import_module
from typing import Any

import pytest
from harness import PATIENCE, Lab, flow
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.engine import capture
from iaiflow_lab.engine.terminal import TerminalText
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk.node import node


def test_prints_of_several_threads_at_once(lab: Lab) -> None:
    together = threading.Barrier(4)

    @node("t.talk")
    def talk(*, name: str) -> None:
        for number in range(20):
            together.wait(PATIENCE)
            print(name, number)

    lab.add(talk)
    lab.run(flow({f"n{i}": Node("t.talk", {"name": f"n{i}"}) for i in range(4)}))
    for i in range(4):
        assert lab.log(f"n{i}") == "".join(f"n{i} {number}\n" for number in range(20))


def test_prints_of_interleaved_coroutines(lab: Lab) -> None:
    turns: list[asyncio.Future[None]] = []

    @node("t.talk")
    async def talk() -> None:
        for number in range(10):
            turns.append(asyncio.get_running_loop().create_future())
            if len(turns) % 3 == 0:
                for future in turns[-3:]:
                    future.set_result(None)
            await turns[-1]
            print(number)

    lab.add(talk)
    lab.run(flow({f"n{i}": "t.talk" for i in range(3)}))
    for i in range(3):
        assert lab.log(f"n{i}") == "".join(f"{number}\n" for number in range(10))


def test_stdout_and_stderr_are_told_apart(lab: Lab) -> None:
    @node("t.talk")
    def talk() -> None:
        print("out")
        print("err", file=sys.stderr)
        sys.stdout.writelines(["a\n", "b"])

    lab.add(talk)
    lab.run(flow({"a": "t.talk"}))
    assert lab.log("a", "stdout") == "out\na\nb"
    assert lab.log("a", "stderr") == "err\n"


def test_nothing_leaks_to_the_outside_nor_in(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    @node("t.talk")
    def talk() -> None:
        print("inside")

    lab.add(talk)
    lab.run(flow({"a": "t.talk"}))
    print("outside")
    assert capsys.readouterr().out == "outside\n"
    assert lab.log("a") == "inside\n"


def test_outside_steps_the_streams_are_what_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    original = io.TextIOWrapper(io.BytesIO(), encoding="utf-16")
    monkeypatch.setattr(sys, "stdout", original)
    capture.install()
    assert sys.stdout is not original
    assert sys.stdout.encoding == "utf-16"
    assert sys.stdout.writable()
    assert sys.stdout.buffer is original.buffer


def test_text_arrives_while_the_step_goes_on(lab: Lab) -> None:
    seen = threading.Event()

    @node("t.talk")
    def talk() -> bool:
        print("one")
        print("two")
        return seen.wait(PATIENCE)

    def listen(event: Any) -> None:
        if isinstance(event, ev.StepLog) and "two" in event.text:
            seen.set()

    lab.add(talk)
    assert lab.run(flow({"a": "t.talk"}), listener=listen).outputs == {"a": True}


def test_logging(lab: Lab) -> None:
    @node("t.talk")
    def talk() -> None:
        logging.getLogger("mine").warning("careful: %s", 5)
        logging.getLogger("mine").debug("not asked for")

    lab.add(talk)
    lab.run(flow({"a": "t.talk"}))
    (logged,) = lab.journal.of(ev.StepLog, "a")
    assert (logged.stream, logged.level, logged.text) == ("log", "WARNING", "mine: careful: 5")


def test_logging_keeps_the_users_own_set_up() -> None:
    before = list(logging.getLogger().handlers)
    capture.install()
    assert logging.getLogger().handlers == before


def test_the_users_handlers_still_get_the_records_of_steps(lab: Lab) -> None:
    @node("t.talk")
    def talk() -> None:
        logging.getLogger("mine").warning("careful")

    lab.add(talk)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    try:
        lab.run(flow({"a": "t.talk"}))
    finally:
        logging.getLogger().removeHandler(handler)
    assert written.getvalue() == "careful\n"
    assert lab.log("a") == "mine: careful"


def test_warnings(lab: Lab) -> None:
    @node("t.talk")
    def talk() -> None:
        warnings.warn("old", UserWarning, stacklevel=1)

    lab.add(talk)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        lab.run(flow({"a": "t.talk"}))
    (logged,) = lab.journal.of(ev.StepLog, "a")
    assert logged.stream == "warning"
    assert logged.text.startswith("UserWarning: old (")


class Shown:
    def _repr_html_(self) -> str:
        return "<b>5</b>"

    def __repr__(self) -> str:
        return "five"


@pytest.mark.parametrize("module", ["IPython", "os"])
def test_display_without_a_shell(lab: Lab, module: str) -> None:
    import_module(module)  # IPython may be there already, or come with the node

    @node("t.show")
    def show() -> None:
        from IPython.display import display

        display(Shown(), Shown())

    lab.add(show)
    lab.run(flow({"a": "t.show"}))
    shown = lab.journal.of(ev.StepDisplay, "a")
    assert [event.data for event in shown] == [{"text/plain": "five", "text/html": "<b>5</b>"}] * 2


def test_display_with_a_shell(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    @node("t.show")
    def show() -> None:
        display(Shown())

    lab.add(show)
    shell = InteractiveShell.instance()
    try:
        shell.display_formatter.active_types = ["text/plain", "text/html"]
        lab.run(flow({"a": "t.show"}))
        capsys.readouterr()
        display(Shown())
    finally:
        InteractiveShell.clear_instance()
    assert capsys.readouterr().out.strip() == "five"
    (shown,) = lab.journal.of(ev.StepDisplay, "a")
    assert shown.data == {"text/plain": "five", "text/html": "<b>5</b>"}


def test_tqdm_is_one_line_and_progress(lab: Lab) -> None:
    @node("t.bar")
    def bar() -> None:
        from tqdm import tqdm

        for _ in tqdm(range(50), desc="load", mininterval=0):
            pass

    lab.add(bar)
    lab.run(flow({"a": "t.bar"}))
    lines = lab.log("a").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("load: 100%")
    assert "50/50" in lines[0]
    progress = lab.journal.of(ev.StepProgress, "a")
    assert (progress[-1].done, progress[-1].total) == (100, 100)
    assert len(progress) < 20


@pytest.mark.parametrize("force_terminal", [True, False])
def test_rich_is_folded(lab: Lab, force_terminal: bool) -> None:
    @node("t.bar")
    def bar() -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(force_terminal=force_terminal, width=80)
        with Progress(console=console, auto_refresh=False) as progress:
            task = progress.add_task("load", total=20)
            for _ in range(20):
                progress.advance(task)
                progress.refresh()

    lab.add(bar)
    lab.run(flow({"a": "t.bar"}))
    lines = [line for line in lab.log("a").splitlines() if line.strip()]
    assert len(lines) == 1
    assert "load" in lines[0]
    assert "100%" in lines[0]
    assert "\x1b" not in lines[0]


def test_a_flood_is_cut_with_a_note(lab: Lab) -> None:
    @node("t.flood")
    def flood() -> str:
        for _ in range(12):
            print("x" * 1_000_000)
        return "done"

    lab.add(flood)
    assert lab.run(flow({"a": "t.flood"})).outputs == {"a": "done"}
    assert len(lab.log("a", "stdout")) <= 10_000_000
    (note,) = [e for e in lab.journal.of(ev.StepLog, "a") if e.stream == "log"]
    assert note.text == "Output cut at 10,000,000 characters."


def test_an_end_without_a_newline_is_kept(lab: Lab) -> None:
    @node("t.talk")
    async def talk() -> None:
        print("half", end="")

    lab.add(talk)
    lab.run(flow({"a": "t.talk"}))
    assert lab.log("a") == "half"


def fold(pieces: list[str]) -> str:
    terminal = TerminalText()
    return "".join("".join(terminal.feed(piece)) for piece in pieces) + terminal.rest()


@given(st.text(st.sampled_from("ab\r\n"), max_size=30), st.data())
def test_how_text_is_cut_into_pieces_does_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert fold(pieces) == fold([text])


def test_cells_of_a_kernel_show_no_secret_that_a_flow_resolved():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from iaiflow_lab.engine import capture\n"
        "from iaiflow_lab.safe.redact import RESOLVED\n"
        "shell = InteractiveShell.instance()\n"
        "capture.install(), capture.install()\n"
        "RESOLVED.add('canary-hunter2-tail')\n"
        'shell.run_cell(\'held = "canary-" + "hunter2-tail"\')\n'
        "for cell in ('held', '{1: [held]}', 'print(held)', 'display(held)', '1 / len(held)',\n"
        "             'raise ValueError(held)'):\n"
        "    shell.run_cell(cell)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert "canary-hunter2-tail" not in said.stdout + said.stderr
    assert said.stdout.count("[secret]") == 5
    assert "0.05" in said.stdout
