"""A flow on a canvas in a real kernel: what the output holds, where edits go, what is kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from iaiflow_lab import Flow, Lab
from iaiflow_lab.canvas import static_files
from iaiflow_lab.errors import ConflictError, InputError, NotFoundError

CANVAS = "application/vnd.iaiflow.canvas+json"
VIEW = "application/vnd.jupyter.widget-view+json"
SVG = "image/svg+xml"

#: Makes a canvas possible without the built browser side, of which these tests show nothing.
BUILT = (
    "from pathlib import Path\n"
    "from iaiflow_lab.canvas import static_files\n"
    "static_files.SCRIPT = Path('stand-in.js')\n"
    "static_files.SCRIPT.write_text('export default { render() {} }')\n"
    "static_files.STYLE = Path('stand-in.css')\n"
)


class Browser:
    """The browser's end of one canvas in a notebook."""

    def __init__(self, notebook: Any, model_id: str) -> None:
        self._client = notebook._client
        self._model_id = model_id
        self._number = 0

    def _send(self, data: dict[str, Any]) -> None:
        content = {"comm_id": self._model_id, "data": data}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", content))

    def host(self, name: str) -> None:
        self._send({"method": "update", "state": {"host": name}, "buffer_paths": []})

    def ask(self, request: str, **args: Any) -> Any:
        self.tell(request, **args)

        def answers(message: dict[str, Any]) -> bool:
            content = message["content"].get("data", {}).get("content", {})
            return message["msg_type"] == "comm_msg" and content.get("reply") == self._number

        reply = self.until(answers)["content"]["data"]["content"]
        assert "error" not in reply, reply
        return reply["result"]

    def tell(self, request: str, **args: Any) -> None:
        self._number += 1
        asked = {"v": 1, "id": self._number, "do": request, "args": args}
        self._send({"method": "custom", "content": asked})

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while True:
            message = self._client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if holds(message):
                return message

    def picture(self, holds: Callable[[str], bool]) -> str:
        """Wait until the saved picture is as wanted."""

        def is_it(message: dict[str, Any]) -> bool:
            is_update = message["msg_type"] == "update_display_data"
            data = message["content"].get("data", {})
            return is_update and CANVAS in data and holds(data[SVG])

        return self.until(is_it)["content"]["data"][SVG]


def bundle(cell: Any) -> dict[str, Any]:
    assert cell.reply["status"] == "ok", cell.reply
    found = [message["content"]["data"] for message in cell.of_kind("display_data")]
    return next(data for data in found if CANVAS in data)


def open_canvas(notebook: Any, code: str) -> Browser:
    shown = bundle(notebook.execute(BUILT + code))
    return Browser(notebook, shown[CANVAS]["model_id"])


DRAWN = {"format": "iaiflow/1", "name": "Drawn", "nodes": {}}


def with_node(text: str, node_id: str, **config: Any) -> str:
    data = json.loads(text)
    data["nodes"][node_id] = {"type": "text.template", "config": {"template": "hi", **config}}
    return json.dumps(data)


@pytest.mark.slow
def test_an_output_serves_every_reader(notebook, here: Path):
    (here / "x.flow.json").write_text(with_node(json.dumps(DRAWN), "first"))
    cell = notebook.execute(f"{BUILT}from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow")
    data = bundle(cell)
    assert data[CANVAS].keys() == {"model_id", "path", "name", "version"}
    assert (data[CANVAS]["path"], data[CANVAS]["name"]) == ("x.flow.json", "Drawn")
    assert data[VIEW]["model_id"] == data[CANVAS]["model_id"]
    assert "<svg" in data[SVG]
    assert "first: text.template()" in data["text/plain"]
    (opened,) = [m for m in cell.of_kind("comm_open") if "_esm" in m["content"]["data"]["state"]]
    state = opened["content"]["data"]["state"]
    assert {"text", "path", "height", "host"} <= state.keys()
    assert "hi" in state["text"]


@pytest.mark.slow
def test_edits_are_saved_to_the_file_and_seen_by_the_object(notebook, here: Path):
    browser = open_canvas(notebook, "from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow")
    told = browser.ask("hello", path="", text="")
    assert told["mode"] == "file"
    browser.ask("edit", text=with_node(told["text"], "greet"), base=told["revision"])
    assert "greet" in json.loads((here / "x.flow.json").read_text())["nodes"]
    cell = notebook.execute("run = flow.run(show=False)\nassert run['greet'].value == 'hi'")
    assert cell.reply["status"] == "ok", cell.reply
    (run,) = Lab(here).runs.ls()
    assert run.flow == "x.flow.json"
    notebook.restart()  # and run all; what stood in outputs plays no part
    data = bundle(
        notebook.execute(f"{BUILT}from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow")
    )
    assert "greet: text.template()" in data["text/plain"]
    cell = notebook.execute("assert flow.run(show=False)['greet'].value == 'hi'")
    assert cell.reply["status"] == "ok", cell.reply


@pytest.mark.slow
def test_the_saved_picture_follows_runs_and_edits(notebook, here: Path):
    made = "what a run {{params.did}}"
    drawn = DRAWN | {"parameters": {"did": {"default": "made"}}}
    (here / "x.flow.json").write_text(with_node(json.dumps(drawn), "first", template=made))
    browser = open_canvas(
        notebook, "from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow.show()"
    )
    told = browser.ask("hello", path="", text="")
    browser.host("lab")
    browser.ask("run", text=told["text"], mode="all", nodes=[], inputs={})
    assert "<title>completed</title>" in browser.picture(lambda svg: "title" in svg)
    browser.ask("edit", text=with_node(told["text"], "second"), base=told["revision"])
    browser.picture(lambda svg: "second" in svg)
    cell = notebook.execute(
        "import ipywidgets\n"
        "saved = str(ipywidgets.Widget.get_manager_state())\n"
        "assert 'second' in saved\n"  # the flow as it is now
        "assert 'what a run made' not in saved and 'completed' not in saved\n"
    )
    assert cell.reply["status"] == "ok", cell.reply


@pytest.mark.slow
def test_two_canvases_share_a_flow(notebook):
    first = open_canvas(
        notebook, "from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow.show()"
    )
    told = first.ask("hello", path="", text="")
    second = Browser(notebook, bundle(notebook.execute("flow"))[CANVAS]["model_id"])
    second.ask("hello", path="", text="")
    first.tell("edit", text=with_node(told["text"], "shared"), base=told["revision"])

    def tells(message: dict[str, Any]) -> bool:
        content = message["content"].get("data", {})
        pushed = content.get("content", {}).get("push", {}) if isinstance(content, dict) else {}
        is_second = message["content"].get("comm_id") == second._model_id
        return is_second and "shared" in pushed.get("flow", {}).get("text", "")

    second.until(tells)


@pytest.mark.slow
def test_a_run_before_the_page_draws_the_canvas_is_shown_on_it(notebook, here: Path):
    (here / "x.flow.json").write_text(with_node(json.dumps(DRAWN), "first"))
    canvas = open_canvas(
        notebook,
        "from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow.show()\nflow.run(show=False)",
    )
    canvas.ask("hello", path="", text="")
    canvas.tell("snapshot")

    def tells(message: dict[str, Any]) -> bool:
        content = message["content"].get("data", {})
        shown = content.get("content", {}).get("snapshot", {}) if isinstance(content, dict) else {}
        return shown.get("nodes", {}).get("first", {}).get("state") == "completed"

    canvas.until(tells)


CODE = """from iaiflow_lab import Flow
with Flow("Coded") as flow:
    hello = flow.add("text.template", template="Hello")
flow.show()"""


@pytest.mark.slow
def test_edits_of_code_are_held_patched_and_never_lost(notebook):
    notebook.execute(BUILT)
    browser = Browser(notebook, bundle(notebook.execute(CODE))[CANVAS]["model_id"])
    told = browser.ask("hello", path="", text="")
    assert told["mode"] == "code"
    assert told["kept"] is False  # this client does not tell the cell: the canvas says so
    edited = with_node(told["text"], "added")
    browser.ask("edit", text=edited, base=told["revision"])
    patch = browser.ask("python", text=edited)
    assert patch["cell"] == CODE
    assert set(CODE.splitlines()) <= set(patch["code"].splitlines())
    assert '"added"' in patch["code"]

    again = notebook.execute(CODE)  # the same code: the canvas still has the edits
    assert "added" in bundle(again)["text/plain"]

    other = notebook.execute(CODE.replace('"Hello"', '"Bye"'))  # other code: they are offered
    assert "added" not in bundle(other)["text/plain"]
    assert "the canvas held edits" in str(other.messages)
    assert "Bring them back" in str(other.messages)
    assert len(other.of_kind("display_data")) == 2

    applied = notebook.execute(patch["code"])
    assert "added" in bundle(applied)["text/plain"]
    assert len(applied.of_kind("display_data")) == 1


@pytest.mark.slow
def test_a_value_is_opened_in_a_new_cell(notebook):
    browser = open_canvas(notebook, CODE)
    told = browser.ask("hello", path="", text="")
    notebook.execute("run = flow.run(show=False)")
    bound = browser.ask("bind", path="template", port="out")
    cell = notebook.execute(f"{bound['code']}\nassert {bound['name']} is run['template'].value")
    assert cell.reply["status"] == "ok", cell.reply
    assert told["mode"] == "code"


@pytest.mark.slow
def test_a_queued_notebook_runs_the_drawn_flow(here: Path):
    (here / "x.flow.json").write_text(with_node(json.dumps(DRAWN), "greet"))
    cells = [
        nbformat.v4.new_code_cell("from iaiflow_lab import Flow\nflow = Flow.open('x')\nflow"),
        nbformat.v4.new_code_cell("flow.show()"),
        nbformat.v4.new_code_cell("print('said', flow.run(show=False)['greet'].value)"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), here / "n.ipynb")
    run_id = Lab(here).runs.start("n.ipynb")
    code = "from iaiflow_lab.cli import main; main()"
    worker = [sys.executable, "-c", code, "worker", "--drain"]
    subprocess.run(worker, cwd=here, check=True, timeout=300)
    run = Lab(here).runs.get(run_id)
    assert (run.state, run.error) == ("completed", None)
    (file,) = (here / ".iaiflow" / "runs" / run_id).glob("**/*.ipynb")
    output = nbformat.read(file, as_version=4)
    assert "widgets" not in output.metadata  # nobody looks: no canvas is alive
    assert "<svg" in output.cells[0].outputs[0]["data"][SVG]
    assert "<svg" in output.cells[1].outputs[0]["data"][SVG]
    assert "said hi" in str(output.cells[2].outputs)


@pytest.mark.slow
def test_a_canvas_that_was_not_built_says_so(notebook):
    hide = "from pathlib import Path\nfrom iaiflow_lab.canvas import static_files\n"
    hide += "static_files.SCRIPT = Path('missing.js')\n"
    cell = notebook.execute(f"{hide}{CODE}")
    (error,) = cell.of_kind("error")
    assert error["content"]["evalue"].startswith("The canvas is not built.")
    (result,) = notebook.execute("flow").of_kind("execute_result")  # a bare flow is still drawn
    assert "<svg" in result["content"]["data"][SVG]


def test_elsewhere_a_flow_is_printed(capsys: pytest.CaptureFixture[str]):
    flow = Flow("Printed")
    flow.show()
    assert capsys.readouterr().out == "Printed: 0 nodes, 0 edges\n"
    with pytest.raises(InputError, match="5 pixels"):
        flow.show(height=5)
    with pytest.raises(NotImplementedError):
        flow._ipython_display_()


def test_marimo_is_given_the_widget(monkeypatch: pytest.MonkeyPatch, here: Path, tmp_path: Path):
    shown: list[Any] = []
    marimo = SimpleNamespace(
        running_in_notebook=lambda: True, output=SimpleNamespace(append=shown.append)
    )
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    (tmp_path / "built.js").touch()
    monkeypatch.setattr(static_files, "SCRIPT", tmp_path / "built.js")
    flow = Flow.open("drawn")
    flow.show(height=300)
    bare: Any = flow._display_()
    assert [(one.path, one.height) for one in (*shown, bare)] == [
        ("drawn.flow.json", 300),
        ("drawn.flow.json", 480),
    ]


def changed_file(here: Path) -> None:
    (here / "x.flow.json").write_text(with_node((here / "x.flow.json").read_text(), "elsewhere"))


def test_a_file_and_its_object_meet_when_shown(here: Path):
    flow = Flow.open("x")
    flow.add("text.template", id="mine", template="x")
    assert flow._edits() is None
    assert list(Flow.load("x.flow.json").build().nodes) == ["mine"]  # what Python added is saved
    changed_file(here)
    flow._edits()
    assert list(flow.build().nodes) == ["mine", "elsewhere"]  # what others saved is taken
    changed_file(here)
    (here / "x.flow.json").unlink()
    flow._edits()
    assert (here / "x.flow.json").exists()


def test_what_both_changed_is_not_decided_silently(here: Path):
    flow = Flow.open("x")
    flow.add("text.template", id="mine", template="x")
    changed_file(here)
    with pytest.raises(ConflictError, match="Both the flow's file and this object"):
        flow._edits()
    with pytest.raises(NotFoundError):
        Flow.load("gone.flow.json")


def test_pictures_show_states_and_the_drawn_places(here: Path):
    from iaiflow_lab.lab import picture

    flow = Flow("P")
    flow.add("delay", id="a")
    flow.add("delay", id="b")
    flow.place({"a": (100, 50), "b": (500, -50)})
    svg = picture.svg(flow.build(), {"a": "completed", "b": "failed", "gone": "failed"})
    assert svg.count("<title>") == 2
    assert 'class="box failed"' in svg
    assert 'x="416" y="16"' in svg  # 400 px right of and 100 px above the other
