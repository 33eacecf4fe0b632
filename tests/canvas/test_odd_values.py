"""Whatever nodes say and return, the canvas goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from iaiflow_lab import Context, node
from iaiflow_lab.canvas.previewer import Previewer
from iaiflow_lab.canvas.previews import preview
from iaiflow_lab.canvas.texts import short

Make = Callable[..., Any]
HALF = "half \ud800 of a pair"
SHOWN = "half ? of a pair"


class Leaves:
    def __repr__(self) -> str:
        raise SystemExit(3)

    @property
    def shape(self) -> Any:
        raise RuntimeError("no shape")


class Unmeasured(list[Any]):
    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Jealous:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Disguised:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")


class Vain:
    def _repr_html_(self) -> Any:
        return {1: float("nan")}

    def _repr_png_(self) -> str:
        return HALF


ODD = {kind.__name__: kind for kind in (Leaves, Unmeasured, Jealous, Disguised, Vain)}


@pytest.fixture
def odd_nodes(here: None) -> None:
    """Declare the nodes of these tests."""

    @node
    def half() -> str:
        return HALF

    @node
    def says(*, ctx: Context) -> int:
        ctx.log(HALF)
        ctx.progress(1, 2, HALF)
        return 1

    @node
    def fails() -> int:
        raise ValueError(HALF)

    @node
    def makes(*, kind: str) -> Any:
        return ODD[kind]()


def test_a_text_that_utf_8_does_not_hold_is_shown(
    canvas: Make, flow_text: Make, odd_nodes: None
) -> None:
    page = canvas()
    text = flow_text({"half": {"type": "cell.half"}, "says": {"type": "cell.says"}})
    page.open(text)

    known = page.run(text)
    page.until(lambda m: m.nodes["half"]["outputs"])

    assert known.run["state"] == "completed"
    assert known.nodes["half"]["outputs"]["out"]["text"] == SHOWN
    assert known.nodes["says"]["log"] == SHOWN + "\n"
    assert page.ask("value", path="half", kind="output", port="out")["text"] == SHOWN
    assert page.refusal("pin_value", path="half", port="out")["message"].endswith("can be pinned.")


def test_an_error_that_utf_8_does_not_hold_is_told(
    canvas: Make, flow_text: Make, odd_nodes: None
) -> None:
    page = canvas()
    text = flow_text({"a": {"type": "cell.fails"}})
    page.open(text)

    known = page.run(text)

    assert known.run["state"] == "failed"
    assert SHOWN in known.nodes["a"]["error"]["message"]


@pytest.mark.parametrize("kind", ["Leaves", "Vain"])
def test_an_object_that_does_not_want_to_be_seen_keeps_nobody_waiting(
    canvas: Make, flow_text: Make, odd_nodes: None, kind: str
) -> None:
    page = canvas()
    text = flow_text({"a": {"type": "cell.makes", "config": {"kind": kind}}})
    page.open(text)

    page.run(text)
    shown = page.until(lambda m: m.nodes["a"]["outputs"]).nodes["a"]["outputs"]["out"]

    assert shown["kind"] in ("object", "bundle", "json")
    assert page.ask("ports", path="a")["outputs"]["out"]["kind"] == shown["kind"]
    assert page.ask("value", path="a", kind="output", port="out")["kind"] == shown["kind"]


@pytest.mark.parametrize("kind", ODD)
def test_no_object_keeps_others_from_being_seen(kind: str) -> None:
    shown = threading.Event()

    class Shower:
        def previewable(self, path: str) -> dict[str, Any]:
            if path == "gone":
                raise RuntimeError("nothing is known of it")
            return {"out": (ODD[kind]() if path == "odd" else 1, "any")}

        def show(self, path: str, values: Any, previews: dict[str, Any]) -> None:
            del values
            if path == "plain" and previews["out"]["text"] == "1":
                shown.set()

    shower, previewer = Shower(), Previewer()
    for path in ("plain", "gone", "odd"):  # the last one is looked at first
        previewer.want(shower, path)

    assert shown.wait(30.0)
    assert preview(ODD[kind]())["kind"] in ("object", "bundle", "json")
    assert kind in short(ODD[kind]())
