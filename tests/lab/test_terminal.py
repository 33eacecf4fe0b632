"""Flows on a terminal and in scripts that are interrupted; the examples in the README."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from iaiflow_lab import Lab

ROOT = Path(__file__).parents[2]


def test_the_readme_says_what_is_true(here: Path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second, third = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    first += "\nassert run['count'].value == 2\nflow.save()\n"
    first += "assert Flow.open('Words').path.name == 'Words.flow.json'\n"
    third = f"from iaiflow_lab import Lab\nlab = Lab()\n{third}"
    third += "assert hit.item.body == 'Anna flies to Hanoi on Monday'\n"
    third += "assert memory.get(told.id).body == 'Anna flies on Tuesday'\n"
    script = here / "readme.py"
    for example in (first, third):
        script.write_text(example)
        subprocess.run([sys.executable, str(script)], cwd=here, check=True, capture_output=True)
    compile(second, "README.md", "exec")


def test_the_page_on_agents_says_what_is_true(here: Path):
    text = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    first += "\nassert said.text == 'July, with 21.7 minutes.' and not said.stopped\n"
    second += "\nassert {problem.code for problem in desk.validate()} <= {'secret-unset'}\n"
    script = here / "agents.py"
    script.write_text(first + second)
    subprocess.run([sys.executable, str(script)], cwd=here, check=True, capture_output=True)


def test_a_script_shows_its_own_lines_only(here: Path):
    script = here / "rules.py"
    script.write_text("from iaiflow_agents import Agent\nAgent('a', policy=['permit: sql'])\n")
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=here, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "NodeError: 'permit: sql' is no rule." in done.stderr
    assert re.findall(r'File "(.*?)"', done.stderr) == [str(script)]


def written(terminal: int) -> Iterator[bytes]:
    """Return what a terminal holds whose programs have ended; it gives it piece by piece."""
    with open(terminal, "rb", buffering=0, closefd=False) as screen, suppress(OSError):
        while piece := screen.read(100_000):
            yield piece


@pytest.mark.slow
def test_a_terminal_shows_a_table_that_stays(here: Path):
    script = here / "hello.py"
    script.write_text(
        "from iaiflow_lab import Flow\n"
        "flow = Flow('Hello')\n"
        "flow.add('text.template', id='hello', template='Hi')\n"
        "print(flow.run()['hello'].value)\n"
    )
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=here,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        check=True,
    )
    os.close(theirs)
    screen = b"".join(written(ours)).decode()
    os.close(ours)
    assert done.stdout == "Hi\n"
    assert re.search(r"hello\s+✓ completed", screen)
    assert "Hello: completed" in screen


@pytest.mark.slow
@pytest.mark.parametrize("stubborn", [False, True])
def test_ctrl_c_cancels_the_run(here: Path, *, stubborn: bool):
    body = "sum(range(10**6))" if stubborn else "ctx.raise_if_cancelled()"
    script = here / "endless.py"
    script.write_text(
        "import signal\n"
        "from iaiflow_lab import Context, Flow, node\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored by our parent\n"
        "@node\n"
        "def endless(ctx: Context) -> None:\n"
        "    print('waiting')\n"
        "    while True:\n"
        f"        {body}\n"
        "with Flow('Endless') as flow:\n"
        "    endless()\n"
        "flow.run()\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=here, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr:
        try:
            while "waiting" not in (line := process.stderr.readline()):
                assert line, "it ended before it was interrupted"
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            status = process.wait(300)
        finally:
            process.kill()
            process.wait()
    assert status == 1
    assert "was cancelled" in rest
    (run,) = Lab(here).runs.ls()
    assert run.state == "cancelled"
