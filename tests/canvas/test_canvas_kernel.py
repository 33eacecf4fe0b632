"""Canvases of a real kernel, over comms on a subshell as JupyterLab opens them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.service import Session, history, open_session

pytestmark = pytest.mark.slow

PATIENCE = 90.0
REGISTER = "from iaiflow_lab.canvas.comm import register; register(); register()"
NODES = """
import time
from pathlib import Path
from iaiflow_lab import Context, node

@node
def chatty(*, events: int = 60_000, ctx: Context) -> int:
    for number in range(events // 2):
        ctx.log(f"line {number}")
        ctx.progress(number, events // 2)
    return events

@node
def held(*, ctx: Context) -> str:
    for number in range(10**9):
        time.sleep(0.01)
        ctx.progress(number)
"""


class KernelCanvas:
    """A kernel, and a canvas over a comm on a subshell."""

    def __init__(self, manager: Any, client: Any, mirror: Any) -> None:
        self.manager = manager
        self.client = client
        self.messages: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.mirror = mirror
        self.comm = uuid.uuid4().hex
        self._ids = iter(range(1, 10_000))
        self._idle: set[str] = set()
        self._replies: dict[int, dict[str, Any]] = {}
        self.subshell = ""

    def open(self) -> None:
        self.cell(REGISTER)
        self.cell(NODES)
        message = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=PATIENCE)
        self.subshell = reply["content"]["subshell_id"]
        self._send("comm_open", {"comm_id": self.comm, "target_name": "iaiflow.canvas", "data": {}})

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        message = self.client.session.msg(kind, content)
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def next(self) -> None:
        message = self.client.get_iopub_msg(timeout=PATIENCE)
        content = message["content"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            self._idle.add(message["parent_header"].get("msg_id", ""))
        if message["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
            data = content["data"]
            self.messages.append(data)
            self.times.append(time.monotonic())
            self.mirror.take(data)
            if "reply" in data:
                self._replies[data["reply"]] = data

    def ask(self, request: str, **args: Any) -> Any:
        number = next(self._ids)
        data = {"v": 1, "id": number, "do": request, "args": args}
        self._send("comm_msg", {"comm_id": self.comm, "data": data})
        while number not in self._replies:
            self.next()
        reply = self._replies[number]
        assert "error" not in reply, reply
        return reply["result"]

    def start(self, code: str) -> str:
        return self.client.execute(code)

    def wait(self, cell: str) -> None:
        while cell not in self._idle:
            self.next()

    def is_idle(self, cell: str) -> bool:
        return cell in self._idle

    def cell(self, code: str) -> None:
        self.wait(self.start(code))

    def hello(self, text: str) -> None:
        self.ask("hello", path="x.flow.json", text=text)
        self.ask("snapshot")
        self.until(lambda m: m.seq is not None)

    def until(self, holds: Callable[[Any], bool]) -> Any:
        while not holds(self.mirror):
            self.next()
        return self.mirror


@pytest.fixture
def kernel_canvas(here: Path, mirror: type[Any]) -> Iterator[Callable[[], KernelCanvas]]:
    """Return `kernel_canvas()`: a canvas in a new kernel whose folder is the workspace."""
    from jupyter_client.manager import start_new_kernel

    opened: list[KernelCanvas] = []

    def make() -> KernelCanvas:
        manager, client = start_new_kernel(startup_timeout=120, cwd=str(here))
        manager.shutdown_wait_time = PATIENCE  # a kernel that is to end by itself is not killed
        made = KernelCanvas(manager, client, mirror())
        opened.append(made)
        made.open()
        return made

    yield make
    for one in opened:
        one.client.stop_channels()
        if one.manager.has_kernel:
            one.manager.shutdown_kernel(now=True)
        one.manager.context.destroy(linger=0)


def test_a_quarter_of_a_million_events_come_in_thirty_messages_a_second(
    kernel_canvas: Callable[[], KernelCanvas], flow_text: Callable[..., str]
) -> None:
    canvas = kernel_canvas()
    text = flow_text({f"n{number}": {"type": "cell.chatty"} for number in range(4)})
    canvas.hello(text)

    canvas.ask("run", text=text, mode="all")
    canvas.until(lambda m: m.run["ended_at"] is not None)

    run = canvas.mirror.run
    assert run["state"] == "completed"
    told = [message for message in canvas.messages if "events" in message]
    assert [message["seq"] for message in told] == list(range(1, len(told) + 1))
    took = canvas.times[-1] - canvas.times[0]
    assert len(told) <= 31 * (took + 1)
    assert all(state["log"].endswith("line 29999\n") for state in canvas.mirror.nodes.values())


def test_a_run_beside_a_busy_cell_can_be_stopped(
    kernel_canvas: Callable[[], KernelCanvas], flow_text: Callable[..., str]
) -> None:
    canvas = kernel_canvas()
    text = flow_text({"a": {"type": "cell.held"}})
    canvas.hello(text)
    canvas.ask("run", text=text, mode="all")
    busy = canvas.start("Path('busy').touch()\nwhile not Path('enough').exists(): time.sleep(0.01)")
    while not Path("busy").exists():
        canvas.next()
    for _ in range(3):  # messages that are sent while the cell runs
        canvas.next()

    canvas.ask("stop")
    canvas.until(lambda m: m.run["ended_at"] is not None)

    assert canvas.mirror.run["state"] == "cancelled"
    assert not canvas.is_idle(busy)
    Path("enough").touch()
    canvas.wait(busy)


def await_step(session: Session, run_id: str, step: str) -> None:
    """Wait until the history has a step."""
    end = time.monotonic() + PATIENCE
    while step not in {known.step for known in history.get(session, run_id).steps}:
        assert time.monotonic() < end, f"{step} is not recorded"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("now", "state", "code"),
    [(False, "cancelled", "kernel-ended"), (True, "failed", "kernel-lost")],
)
def test_a_run_that_is_lost_with_its_kernel_is_shown_by_the_next(
    kernel_canvas: Callable[[], KernelCanvas],
    flow_text: Callable[..., str],
    here: Path,
    now: bool,
    state: str,
    code: str,
) -> None:
    canvas = kernel_canvas()
    nodes = {"before": {"type": "python", "config": {"code": "def main():\n    return 1"}}}
    text = flow_text({**nodes, "a": {"type": "cell.held"}})
    canvas.hello(text)
    run_id = canvas.ask("run", text=text, mode="all")["run_id"]
    canvas.until(
        lambda m: (
            [m.nodes.get(node, {}).get("state") for node in ("before", "a")]
            == ["completed", "running"]
        )
    )
    with open_session(here) as session:
        await_step(session, run_id, "a")  # what is not committed yet is lost with a kernel

    canvas.cell("from iaiflow_lab.canvas import running; running._LAST_WAIT = 60.0")
    canvas.manager.restart_kernel(now=now)
    canvas.client.wait_for_ready(timeout=PATIENCE)

    again = KernelCanvas(canvas.manager, canvas.client, type(canvas.mirror)())
    again.open()
    again.hello(text)
    shown = again.until(lambda m: m.run["state"] is not None)
    assert (shown.run["run_id"], shown.run["state"]) == (run_id, state)
    assert shown.run["error"]["code"] == code
    assert shown.nodes["a"]["state"] == "cancelled"
    assert shown.nodes["before"]["state"] == "completed"
    with open_session(here) as session:
        assert history.get(session, run_id).state == state
    Path("enough").touch()
    again.ask("run", text=text, mode="only", nodes=["before"])
    again.until(lambda m: m.run["state"] == "completed")


def test_a_cell_tells_the_canvas_of_its_node_types(
    kernel_canvas: Callable[[], KernelCanvas], flow_text: Callable[..., str]
) -> None:
    canvas = kernel_canvas()
    canvas.hello(flow_text({}))

    canvas.cell("@node\ndef newest(x: int) -> int:\n    return x")

    pushed: list[Any] = []
    while not pushed:
        found = [message["push"] for message in canvas.messages if "push" in message]
        pushed = [push["catalog"] for push in found if "catalog" in push]
        if not pushed:
            canvas.next()
    assert "cell.newest" in {found["type"] for found in pushed[-1]}
