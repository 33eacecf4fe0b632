"""Flows in a real kernel: what a cell shows of a run that goes on, fails or is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab import Lab

pytestmark = pytest.mark.slow

HTML = "text/html"


def shown(message: dict[str, Any]) -> str:
    return message["content"]["data"].get(HTML, "")


def shows_progress(message: dict[str, Any]) -> bool:
    is_update = message["msg_type"] == "update_display_data"
    return is_update and "<progress " in shown(message) and "item" in shown(message)


def test_one_display_follows_the_run_and_stays(notebook, here: Path):
    cell = notebook.execute(
        "import time\n"
        "from pathlib import Path\n"
        "from iaiflow_lab import Context, Flow, node\n"
        "@node\n"
        "def slow(ctx: Context, *, n: int = 3) -> int:\n"
        "    ctx.progress(1, n)\n"
        "    print('item', 1)\n"
        "    while not Path('seen').exists():\n"
        "        time.sleep(0.01)\n"
        "    return n\n"
        "with Flow('Slow <b>') as flow:\n"
        "    slow()\n"
        "run = flow.run()\n",
        lambda message: (here / "seen").touch() if shows_progress(message) else None,
    )
    assert cell.reply["status"] == "ok", cell.reply
    assert cell.of_kind("stream") == []  # what nodes print is shown in the table
    (first,) = cell.of_kind("display_data")
    updates = cell.of_kind("update_display_data")
    identity = first["content"]["transient"]["display_id"]
    assert {update["content"]["transient"]["display_id"] for update in updates} == {identity}
    assert "○ pending" in shown(first) or "▶ running" in shown(first)
    last = updates[-1]
    assert "✓ completed" in shown(last)
    assert "<progress " not in shown(last)
    assert "Slow &lt;b&gt;: completed" in shown(last)
    assert "slow  ✓ completed" in last["content"]["data"]["text/plain"]
    assert "--jp-ui-font-color1" in shown(last)
    assert notebook.execute("assert run['slow'].value == 3").reply["status"] == "ok"


def test_a_bare_flow_is_drawn(notebook):
    cell = notebook.execute(
        "from iaiflow_lab import Flow\nflow = Flow('Seen')\nflow.add('delay', id='wait')\nflow"
    )
    # On a canvas where that is built, else as a picture by itself.
    (result,) = cell.of_kind("display_data") or cell.of_kind("execute_result")
    assert "<svg" in result["content"]["data"]["image/svg+xml"]
    assert "wait: delay()" in result["content"]["data"]["text/plain"]


def test_a_cell_can_await_a_run(notebook):
    cell = notebook.execute(
        "from iaiflow_lab import Flow, node\n"
        "@node(loop='kernel')\n"
        "async def here() -> str:\n"
        "    import asyncio\n"
        "    return str(id(asyncio.get_running_loop()))\n"
        "with Flow('Awaited') as flow:\n"
        "    here()\n"
        "run = await flow.arun()\n"
        "import asyncio\n"
        "assert run['here'].value == str(id(asyncio.get_running_loop()))\n"
    )
    assert cell.reply["status"] == "ok", cell.reply
    assert len(cell.of_kind("display_data")) == 1


def test_an_error_shows_the_users_own_lines(notebook):
    cell = notebook.execute(
        "from iaiflow_lab import Flow, node\n"
        "@node\n"
        "def share(*, of: int = 0) -> float:\n"
        "    return 1 / of\n"
        "with Flow('Broken') as flow:\n"
        "    share()\n"
        "flow.run()\n"
    )
    (error,) = cell.of_kind("error")
    assert error["content"]["ename"] == "FlowFailedError"
    assert error["content"]["evalue"] == "Node 'share' failed: ZeroDivisionError: division by zero"
    lines = [line.strip() for line in error["content"]["traceback"] if "~" not in line]
    assert lines == [
        "FlowFailedError: Node 'share' failed.",
        "",
        "Cell In[1], line 4, in share",
        "return 1 / of",
        "ZeroDivisionError: division by zero",
    ]
    assert "✗ failed" in shown(cell.of_kind("update_display_data")[-1])


def test_a_refusal_is_one_sentence_with_the_users_line(notebook):
    cell = notebook.execute(
        "from iaiflow_lab import Flow\n"
        "flow = Flow('Refused')\n"
        "flow.add('no.such.type', id='a')\n"
        "flow.run()\n"
    )
    (error,) = cell.of_kind("error")
    text = "\n".join(error["content"]["traceback"])
    assert "Node type 'no.such.type'" in text
    assert "Cell In[1], line 4" in text
    assert "iaiflow_lab" not in text


@pytest.mark.parametrize("call", ["flow.run()", "await flow.arun()"])
def test_an_interrupted_cell_cancels_its_run_and_shows_it(notebook, here: Path, call: str):
    interrupted: list[bool] = []

    def interrupt_when_running(message: dict[str, Any]) -> None:
        is_running = message["msg_type"] == "update_display_data" and "waiting" in shown(message)
        if is_running and not interrupted:
            interrupted.append(True)
            notebook.manager.interrupt_kernel()

    cell = notebook.execute(
        "from iaiflow_lab import Context, Flow, node\n"
        "@node\n"
        "def wait(ctx: Context) -> None:\n"
        "    print('waiting')\n"
        "    while True:\n"
        "        ctx.raise_if_cancelled()\n"
        "with Flow('Endless') as flow:\n"
        "    wait()\n"
        f"{call}\n",
        interrupt_when_running,
    )
    assert cell.reply["status"] == "error"
    assert "■ cancelled" in shown(cell.of_kind("update_display_data")[-1])
    assert [run.state for run in Lab(here).runs.ls()] == ["cancelled"]
    assert notebook.execute("assert True").reply["status"] == "ok"
