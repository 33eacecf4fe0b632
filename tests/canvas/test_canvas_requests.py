"""Every request of a canvas, through the door that canvases use."""

from __future__ import annotations

import gc
import io
import json
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from iaiflow_lab import Context, Flow, Lab, node
from iaiflow_lab.canvas.comm import renew_all
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.model import file
from iaiflow_lab.service import history, open_session
from iaiflow_lab.service.recording import InteractiveRun

Make = Callable[..., Any]


@pytest.fixture
def gate() -> Any:
    """Return an event; nodes of the type `cell.held` end when it is set."""
    opened = threading.Event()

    @node("cell.held")
    def held(x: Any = None, *, ctx: Context) -> Any:
        while not opened.wait(0.01):
            ctx.raise_if_cancelled()
        return x

    return opened


@pytest.fixture
def numbers() -> None:
    @node("cell.number")
    def number(x: int = 0, *, plus: int = 1) -> int:
        print(f"adding {plus}")
        return x + plus


CHAIN = {"a": {"type": "cell.number"}, "b": {"type": "cell.number"}, "c": {"type": "cell.number"}}
EDGES = ["a.out -> b.x", "b.out -> c.x"]


def states(mirror: Any) -> dict[str, tuple[str, str]]:
    return {path: (state["state"], state["source"]) for path, state in mirror.nodes.items()}


def test_hello_tells_what_there_is(canvas: Make, flow_text: Make, numbers: None) -> None:
    text = flow_text({"a": {"type": "cell.number", "config": {"plsu": 1}}})

    told = canvas().ask("hello", path="x.flow.json", text=text)

    assert (told["mode"], told["path"], told["text"]) == ("document", "x.flow.json", text)
    assert "cell.number" in {found["type"] for found in told["catalog"]}
    wrong = next(problem for problem in told["problems"] if problem["code"] == "IAI109")
    assert (wrong["node"], wrong["field"]) == ("a", "plsu")


def test_a_secret_that_is_not_set_is_a_problem(canvas: Make, flow_text: Make, here: Path) -> None:
    config = {"url": "http://127.0.0.1", "headers": {"X": "secret:TOKEN"}}
    text = flow_text({"ask": {"type": "http.request", "config": config}})
    (problem,) = canvas().open(text)["problems"]
    assert (problem["code"], problem["node"]) == ("secret-unset", "ask")
    Lab(here).secrets.set("TOKEN", "a value of a test")
    assert canvas().open(text)["problems"] == []


def test_a_secret_that_is_set_on_a_canvas_is_no_problem_any_more(
    canvas: Make, flow_text: Make
) -> None:
    config = {"url": "http://127.0.0.1", "headers": {"X": "secret:TOKEN"}}
    one = canvas()
    assert one.open(flow_text({"ask": {"type": "http.request", "config": config}}))["problems"]
    one.ask("set_secret", name="TOKEN", value="a value of a test")
    while [] not in [sent.get("push", {}).get("problems") for sent in one.messages]:
        one.next()


def test_a_problem_in_a_body_names_the_outermost_node(canvas: Make, flow_text: Make) -> None:
    inner = {"type": "text.template", "config": {"templat": "x"}}
    body = {"nodes": {"deep": inner}}

    told = canvas().open(flow_text({"each": {"type": "map", "config": {"body": body}}}))

    wrong = next(problem for problem in told["problems"] if "templat" in problem["place"])
    assert (wrong["node"], wrong["field"]) == ("each", "body")


def test_a_run_is_shown_recorded_and_looked_at(
    canvas: Make, flow_text: Make, numbers: None, here: Path
) -> None:
    one = canvas()
    text = flow_text(CHAIN, EDGES)
    one.open(text)

    mirror = one.run(text)

    assert states(mirror) == dict.fromkeys("abc", ("completed", "executed"))
    one.until(lambda m: m.nodes["c"]["outputs"] != {})
    assert mirror.nodes["c"]["outputs"]["out"]["text"] == "3"
    assert mirror.nodes["b"]["log"] == "adding 1\n"
    assert one.ask("ports", path="c")["inputs"]["x"]["text"] == "2"
    assert one.ask("ports", path="c")["inputs"]["x"]["type"] == "number"
    assert json.loads(one.ask("value", path="c", kind="input", port="")["text"]) == {"x": 2}
    assert one.ask("pin_value", path="c", port="out") == {"value": 3}
    assert one.ask("logs", path="b") == {"lines": ["adding 1"], "total": 1}
    steps = one.ask("steps")
    assert [step["path"] for step in steps["steps"]] == ["a", "b", "c"]
    assert not steps["cut"]
    with open_session(here) as session:
        run = history.get(session, mirror.run["run_id"])
        assert run.state == "completed"
        assert len(run.steps) == 3


def test_the_timeline_has_steps_that_came_from_the_cache(
    canvas: Make, flow_text: Make, numbers: None
) -> None:
    one = canvas()
    text = flow_text({**CHAIN, "d": {"type": "cell.number", "skip_if": "true"}}, EDGES)
    one.open(text)
    one.run(text)

    run = one.run(text).run

    steps = {step["path"]: step for step in one.ask("steps")["steps"]}
    assert [steps[node]["source"] for node in "abc"] == ["cache"] * 3
    assert steps["d"]["state"] == "skipped"
    for step in steps.values():
        assert run["started_at"] <= step["started_at"] == step["ended_at"] <= run["ended_at"]


def test_a_failed_run_names_its_step(canvas: Make, flow_text: Make) -> None:
    @node("cell.broken")
    def broken() -> int:
        raise ValueError("no")

    one = canvas()
    inner = {"nodes": {"deep": {"type": "cell.broken"}}}
    body = {"nodes": {"part": {"type": "subflow", "config": {"body": inner}}}}
    text = flow_text({"each": {"type": "map", "config": {"body": body, "items": [1]}}})
    one.open(text)

    error = one.run(text).run["error"]

    assert error["step"] == "each[0]/part/deep"
    assert one.mirror.nodes["each/part/deep"]["error"]["message"] == error["message"]


def test_run_modes_take_what_they_say(canvas: Make, flow_text: Make, numbers: None) -> None:
    one = canvas()
    text = flow_text(CHAIN, EDGES)
    one.open(text)
    one.run(text)

    executed, earlier = ("completed", "executed"), ("completed", "earlier")
    only = states(one.run(text, "only", nodes=["b"]))
    assert only == {"a": earlier, "b": executed, "c": earlier}
    onwards = states(one.run(text, "from", nodes=["b"]))
    assert onwards == {"a": earlier, "b": executed, "c": executed}
    until = states(one.run(text, "until", nodes=["b"]))
    assert until == {"a": ("completed", "cache"), "b": ("completed", "cache"), "c": earlier}
    assert states(one.run(text, "fresh")) == dict.fromkeys("abc", executed)
    assert one.refusal("run", text=text, mode="retry")["code"] == "nothing-to-retry"
    assert "No node" in one.refusal("run", text=text, mode="only", nodes=[])["message"]
    assert one.refusal("run", text=text, mode="only", nodes=["zz"])["code"] == "not-found"


def test_a_retry_begins_where_it_failed(canvas: Make, flow_text: Make, numbers: None) -> None:
    broken = [True]

    @node("cell.fragile")
    def fragile(x: int) -> int:
        if broken:
            raise ValueError("it broke")
        return x * 10

    one = canvas()
    text = flow_text({**CHAIN, "b": {"type": "cell.fragile"}}, EDGES)
    one.open(text)
    failed = one.run(text)
    assert failed.run["state"] == "failed"
    assert failed.run["error"]["step"] == "b"
    assert failed.nodes["b"]["error"]["message"] == "ValueError: it broke"
    assert "c" not in failed.nodes

    broken.clear()
    mirror = one.run(text, "retry")

    assert mirror.run["state"] == "completed"
    assert states(mirror)["a"] == ("completed", "earlier")
    assert states(mirror)["b"] == states(mirror)["c"] == ("completed", "executed")


def test_a_second_run_is_refused_and_the_first_can_be_stopped(
    canvas: Make, flow_text: Make, gate: threading.Event
) -> None:
    one, two, other = canvas(), canvas(), canvas()
    text = flow_text({"a": {"type": "cell.held"}})
    for each, path in ((one, "x.flow.json"), (two, "x.flow.json"), (other, "y.flow.json")):
        each.open(text, path)
    one.ask("run", text=text, mode="all")
    other.ask("run", text=text, mode="all")

    assert two.refusal("run", text=text, mode="all")["code"] == "already-running"
    assert two.refusal("clear_cache", nodes=[])["code"] == "already-running"
    two.until(lambda m: m.run["state"] == "running")
    two.ask("stop")

    ended = one.until(lambda m: m.run["ended_at"] is not None)
    assert ended.run["state"] == "cancelled"
    assert ended.nodes["a"]["state"] == "cancelled"
    assert two.until(lambda m: m.run["ended_at"] is not None).run == ended.run
    gate.set()
    assert other.until(lambda m: m.run["ended_at"] is not None).run["state"] == "completed"


def test_what_a_cell_runs_is_shown(canvas: Make, numbers: None, here: Path) -> None:
    flow = Flow("Cell")
    flow.add("cell.number", id="a")
    flow.save("cell.flow.json")
    one = canvas(Subject("file", flow.build, file=flow.path, owner=flow))
    one.open()

    flow.run(show=False)

    mirror = one.until(lambda m: m.run["ended_at"] is not None and m.nodes["a"]["outputs"] != {})
    assert mirror.nodes["a"]["outputs"]["out"]["text"] == "1"


def test_functions_of_cells_are_no_problem_beside_their_cells(
    canvas: Make, flow_text: Make, numbers: None
) -> None:
    flow = Flow("Cell")
    flow.add("cell.number", id="a")
    inline = canvas(Subject("file", flow.build, file=flow.save("cell.flow.json"), owner=flow))
    assert inline.ask("hello", path="", text="")["problems"] == []
    text = flow_text({"a": {"type": "cell.number"}})
    told = canvas().ask("hello", path="x.flow.json", text=text)
    assert [problem["code"] for problem in told["problems"]] == ["IAI121"]


def test_a_flow_that_nobody_holds_is_let_go(canvas: Make, numbers: None) -> None:
    flow = Flow("Gone")
    flow.add("cell.number", id="a")
    one = canvas(Subject("code", flow.build, owner=flow))
    one.open()
    flow.run(show=False)
    one.until(lambda m: m.run["ended_at"] is not None)
    one.session.close()
    gone = weakref.ref(flow)

    del one, flow
    canvas.forget()
    gc.collect()

    assert gone() is None


def test_a_reloaded_page_finds_everything(canvas: Make, flow_text: Make, numbers: None) -> None:
    text = flow_text(CHAIN, EDGES)
    one = canvas()
    one.open(text, client="tab-1")
    one.run(text)
    one.until(lambda m: all(m.nodes[path]["outputs"] for path in "abc"))

    again = canvas()
    again.open(text, client="tab-1")

    assert again.mirror.nodes == one.mirror.nodes
    assert again.mirror.run == one.mirror.run
    assert "not said hello" in one.refusal("stop")["message"]  # the page is gone


def test_edits_are_saved_to_the_file(canvas: Make, numbers: None, here: Path) -> None:
    flow = Flow.open("drawn")
    taken: list[Any] = []
    subject = Subject("file", flow.build, file=flow.path, owner=flow, adopt=taken.append)
    one, two = canvas(subject), canvas(subject)
    for each in (one, two):
        each.open()
    flow.add("cell.number", id="a")
    text = file.dump(flow.build())

    result = one.ask("edit", text=text, base=1)

    assert result["revision"] == 2
    assert (here / "drawn.flow.json").read_text() == text
    assert two.pushed("flow") == {"text": text, "revision": 2}
    assert file.dump(taken[0]) == text
    late = two.refusal("edit", text=text, base=1)
    assert late["code"] == "conflict"
    assert "another canvas" in late["message"]
    assert [v["current"] for v in one.ask("versions")["versions"]] == [True, False]
    old = one.ask("versions")["versions"][1]["version"]
    assert '"nodes": {}' in one.ask("version", version=old)["text"]
    changes = one.ask("diff", **{"from": old, "text": text})["changes"]
    assert [(change["kind"], change["name"]) for change in changes] == [("added", "a")]


def test_edits_in_quick_succession_make_one_version(
    canvas: Make, numbers: None, here: Path
) -> None:
    flow = Flow.open("drawn")
    one = canvas(Subject("file", flow.build, file=flow.path, owner=flow))
    one.open()
    texts: list[str] = []

    for number in range(3):
        flow.add("cell.number", id=f"n{number}")
        texts.append(file.dump(flow.build()))
        one.ask("edit", text=texts[-1], base=number + 1)

    newest, first = one.ask("versions")["versions"]
    assert (newest["current"], newest["note"], first["note"]) == (True, "Edited on the canvas", "")
    assert one.ask("version", version=newest["version"])["text"] == texts[-1]


def test_a_file_that_changed_on_disk_is_not_overwritten(canvas: Make, here: Path) -> None:
    flow = Flow.open("drawn")
    one = canvas(Subject("file", flow.build, file=flow.path, owner=flow))
    one.open()
    other = file.dump(Flow("Somebody else's").build())
    (here / "drawn.flow.json").write_text(other)

    refusal = one.refusal("edit", text=file.dump(Flow("Mine").build()), base=1)

    assert refusal["code"] == "conflict"
    assert (here / "drawn.flow.json").read_text() == other
    assert one.pushed("flow") == {"text": other, "revision": 2}
    (here / "drawn.flow.json").write_text("{")
    refusal = one.refusal("edit", text=other, base=2)
    assert refusal["code"] == "changed-on-disk"
    assert (here / "drawn.flow.json").read_text() == "{"


def test_a_cell_that_changes_the_flow_tells_the_canvas(canvas: Make, numbers: None) -> None:
    flow = Flow("Code")
    one = canvas(Subject("code", flow.build, owner=flow))
    one.open()

    flow.add("cell.number", id="a")
    renew_all()

    shown = one.pushed("flow")
    assert '"a"' in shown["text"]
    assert shown["revision"] == 2


def test_all_canvases_of_a_flow_learn_all_that_a_cell_changed(canvas: Make, numbers: None) -> None:
    flow = Flow("Code")
    both = [canvas(Subject("code", flow.build, owner=flow)) for _ in range(2)]
    for one in both:
        one.open()

    @node("cell.brand_new")
    def brand_new(x: int) -> int:
        return x

    flow.add("cell.brand_new", id="a")
    renew_all()

    for one in both:
        wanted = {"catalog", "flow", "problems"}
        while not wanted <= {field for sent in one.messages for field in sent.get("push", {})}:
            one.next()
        pushed = [sent["push"] for sent in one.messages if "push" in sent]
        last = {field: value for push in pushed for field, value in push.items()}
        assert '"a"' in last["flow"]["text"]
        assert {problem["node"] for problem in last["problems"]} == {"a"}


def test_new_node_types_are_told_and_stale_nodes_marked(
    canvas: Make, flow_text: Make, numbers: None
) -> None:
    text = flow_text(CHAIN, EDGES)
    one = canvas()
    one.open(text)
    one.run(text)

    @node("cell.number")
    def number(x: int = 0, *, plus: int = 1) -> int:
        return x - plus

    renew_all()

    assert "cell.number" in {found["type"] for found in one.pushed("catalog")}
    one.until(lambda m: all(m.nodes[path]["stale"] for path in "abc"))
    again = one.run(text)
    assert not any(again.nodes[path]["stale"] for path in "abc")
    edited = flow_text({**CHAIN, "b": {"type": "cell.number", "config": {"plus": 5}}}, EDGES)
    assert sorted(one.ask("edit", text=edited, base=1)["stale"]) == ["b", "c"]


def test_cleared_nodes_are_executed_again(canvas: Make, flow_text: Make, numbers: None) -> None:
    text = flow_text(CHAIN, EDGES)
    one = canvas()
    one.open(text)
    one.run(text)

    assert one.ask("clear_cache", nodes=["c"]) == {"cleared": 1}

    found = states(one.run(text))
    assert found == {
        "a": ("completed", "cache"),
        "b": ("completed", "cache"),
        "c": ("completed", "executed"),
    }


def test_tables_come_in_pages(canvas: Make, flow_text: Make) -> None:
    @node("cell.table")
    def table() -> pl.DataFrame:
        return pl.DataFrame({"n": range(1_000)})

    text = flow_text({"t": {"type": "cell.table"}})
    one = canvas()
    one.open(text)
    one.run(text)

    page = one.ask("value", path="t", kind="output", port="out", offset=990, limit=100)

    assert (page["kind"], page["total"], page["count"]) == ("table", 1_000, 10)
    read = pl.read_ipc_stream(io.BytesIO(one.buffers[0]))
    assert read["n"].to_list() == list(range(990, 1_000))
    assert "only JSON" in one.refusal("pin_value", path="t", port="out")["message"]


def test_items_of_a_map_share_a_line(canvas: Make, flow_text: Make, numbers: None) -> None:
    body = {
        "parameters": {"item": {}},
        "nodes": {"n": {"type": "cell.number"}},
        "edges": ["params.item -> n.x"],
    }
    text = flow_text({"each": {"type": "map", "config": {"body": body, "items": [5, 6, 7]}}})
    one = canvas()
    one.open(text)

    mirror = one.run(text)

    every = {"total": 3, "done": 3, "failed": 0, "running": 0}
    assert mirror.nodes["each"]["items"] == every
    assert mirror.nodes["each/n"]["items"] == every
    assert one.ask("ports", path="each[1]/n")["inputs"]["x"]["text"] == "6"
    assert len(one.ask("steps")["steps"]) == 4


def test_items_of_an_earlier_run_are_let_go(canvas: Make, flow_text: Make, numbers: None) -> None:
    body = {
        "parameters": {"item": {}},
        "nodes": {"n": {"type": "cell.number"}},
        "edges": ["params.item -> n.x"],
    }
    config = {"body": body, "items": [5, 6, 7]}
    one = canvas()
    one.open()
    one.run(flow_text({"each": {"type": "map", "config": config}}))

    one.run(flow_text({"each": {"type": "map", "config": config | {"items": [8]}}}))

    assert one.ask("ports", path="each[0]/n")["inputs"]["x"]["text"] == "8"
    assert one.refusal("ports", path="each[2]/n")["code"] == "not-found"


def test_settings_are_shown_as_the_node_gets_them(
    canvas: Make, flow_text: Make, numbers: None
) -> None:
    text = flow_text(
        {"t": {"type": "text.template", "config": {"template": "Hi {{params.who}}"}}},
        parameters={"who": {"type": "string", "default": "you"}},
    )
    one = canvas()
    one.open(text)

    assert one.ask("resolved", text=text, path="t")["config"]["template"] == "Hi you"


def test_a_saved_document_is_kept_as_a_version(canvas: Make, flow_text: Make, here: Path) -> None:
    one = canvas()
    one.open(flow_text({}))
    saved = file.dump(file.parse(flow_text({"a": {"type": "text.template"}})))
    (here / "x.flow.json").write_text(saved)

    assert one.ask("kept", path="x.flow.json", text=saved) == {"version": "1"}

    assert (here / "x.flow.json").read_text() == saved
    other = flow_text({"b": {"type": "text.template"}})
    assert one.refusal("kept", path="x.flow.json", text=other)["code"] == "conflict"
    assert "Save the document" in one.refusal("kept", path="no.flow.json", text=saved)["remedy"]


@pytest.mark.parametrize("is_document", [True, False])
def test_the_history_starts_with_the_file_as_it_was_opened(
    canvas: Make, flow_text: Make, here: Path, is_document: bool
) -> None:
    first = file.dump(file.parse(flow_text({"a": {"type": "text.template"}})))
    place = here / "x.flow.json"
    place.write_text(first)
    second = file.dump(file.parse(flow_text({"b": {"type": "text.template"}})))
    if is_document:
        one = canvas()
        one.open(first)
        place.write_text(second)  # its host saves it
        assert one.ask("kept", path="x.flow.json", text=second) == {"version": "2"}
        assert one.ask("kept", path="x.flow.json", text=second) == {"version": "2"}
    else:
        one = canvas(Subject(mode="file", read=lambda: file.parse(place.read_text()), file=place))
        one.ask("hello")
        one.ask("edit", text=second, base=1)

    found = one.ask("versions")["versions"]

    assert [each["version"] for each in found] == ["2", "1"]
    assert file.parse(one.ask("version", version="1")["text"]) == file.parse(first)


def test_bodies_code_and_variables(
    canvas: Make, flow_text: Make, numbers: None, here: Path
) -> None:
    (here / "inner.flow.json").write_text(flow_text({}))
    (here / "x.flow.json").write_text(flow_text(CHAIN, EDGES))
    one = canvas()
    text = flow_text(CHAIN, EDGES)
    one.open(text)
    one.run(text)

    assert one.ask("body", path="inner.flow.json")["text"] == flow_text({})
    assert "secret" not in one.refusal("body", path="../secret.flow.json").get("text", "")
    assert "with Flow(" in one.ask("python", text=text)["code"]
    assert one.ask("secrets") == {"names": []}
    bound = one.ask("bind", path="c", port="out")
    assert bound["name"] in bound["code"]


def test_a_secret_is_kept_and_not_given_back(canvas: Make, flow_text: Make, here: Path) -> None:
    one = canvas()
    one.open(flow_text({}))
    assert one.ask("set_secret", name="OWN", value="sk-of-a-test") == {"name": "OWN"}
    assert one.ask("secrets") == {"names": ["OWN"]}
    refused = one.refusal("set_secret", name="not a name", value="sk-of-another")
    assert "can't name a secret" in refused["message"]
    assert "sk-of-another" not in str(refused)
    held = [file.read_bytes() for file in (here / ".iaiflow").rglob("*") if file.is_file()]
    assert not any(b"sk-of-a-test" in data for data in held)


@pytest.mark.parametrize(
    ("request_name", "args", "code"),
    [
        ("fly", {}, "unknown-request"),
        ("run", {}, "input-invalid"),
        ("run", {"text": "{", "mode": "all"}, "flow-invalid"),
        ("run", {"text": '{"format": "iaiflow/1"}', "mode": "sideways"}, "input-invalid"),
        ("edit", {"text": 3, "base": 1}, "input-invalid"),
        ("value", {"path": "zz", "kind": "output", "port": "out"}, "not-found"),
        ("ports", {"path": "zz"}, "not-found"),
        ("version", {"version": "9"}, "not-found"),
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(
    canvas: Make, flow_text: Make, request_name: str, args: dict[str, Any], code: str
) -> None:
    one = canvas()
    one.open(flow_text({}))

    assert one.refusal(request_name, **args)["code"] == code


def test_another_version_is_told_what_to_install(canvas: Make) -> None:
    one = canvas()
    one.session.receive({"v": 99, "id": 1, "do": "hello", "args": {}})

    error = one.next()["error"]

    assert error["code"] == "version-mismatch"
    assert "pip install iaiflow-lab==" in error["remedy"]


def test_a_node_that_cannot_be_read_is_a_problem_of_the_flow(canvas: Make, flow_text: Make) -> None:
    @node("cell.unreadable")
    def unreadable(x: Missing) -> int:  # type: ignore[name-defined]  # noqa: F821
        return x

    told = canvas().open(flow_text({"a": {"type": "cell.unreadable"}}))

    assert [problem["code"] for problem in told["problems"]] == ["node-annotation"]
    assert any("Missing" in problem for problem in told["catalog_problems"])


def test_who_has_not_said_hello_is_told_so(canvas: Make) -> None:
    for name in ("stop", "snapshot"):
        assert "not said hello" in canvas().refusal(name)["message"]


def test_a_run_whose_end_cannot_be_recorded_is_over(
    canvas: Make, flow_text: Make, numbers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("the disk is gone")

    text = flow_text(CHAIN, EDGES)
    one = canvas()
    one.open(text)
    with monkeypatch.context() as broken:
        broken.setattr(InteractiveRun, "settle", breaks)
        mirror = one.run(text)

    assert mirror.run["state"] == "failed"
    assert "the disk is gone" in mirror.run["error"]["message"]
    assert one.run(text).run["state"] == "completed"
