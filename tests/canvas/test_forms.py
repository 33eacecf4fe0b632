"""A flow's parameters as controls, and what pressing Run does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl
import pytest

from iaiflow_lab import Context, Flow, Table, node
from iaiflow_lab.canvas.controls import control
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.interactive.kernel import close_workspaces
from iaiflow_lab.sdk.node import CELL_TYPES

#: Only a hang takes so long, in seconds.
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _here(workspace: Path) -> Iterator[None]:
    kept = dict(CELL_TYPES)
    yield
    CELL_TYPES.clear()
    CELL_TYPES.update(kept)
    close_workspaces()


@pytest.mark.parametrize(
    ("spec", "kind", "value"),
    [
        ({"type": "string", "default": "x"}, "Text", "x"),
        ({"type": "string"}, "Text", ""),
        ({"type": "string", "default": "a\nb"}, "Textarea", "a\nb"),
        ({"type": "string", "writeOnly": True, "default": ""}, "Password", ""),
        ({"type": "string", "format": "date", "default": "2026-02-03"}, "DatePicker", "2026-02-03"),
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 4}, "IntSlider", 4),
        ({"type": "integer", "exclusiveMinimum": 1, "maximum": 9}, "IntSlider", 2),
        ({"type": "integer", "minimum": 0, "maximum": 10**9, "default": 5}, "BoundedIntText", 5),
        ({"type": "integer", "minimum": 3}, "IntText", 3),
        ({"type": "number", "minimum": 0, "maximum": 1, "default": 0.25}, "FloatSlider", 0.25),
        ({"type": "number", "maximum": -2}, "FloatText", -2.0),
        ({"type": "boolean", "default": True}, "Checkbox", True),
        ({"enum": ["a", 1, True], "default": True}, "Dropdown", True),
        ({"enum": [1, 2]}, "Dropdown", 1),
        ({"type": "file", "default": "x.csv"}, "Combobox", "x.csv"),
        ({"type": "array", "items": {"type": "string"}, "default": ["a", "a"]}, "TagsInput", None),
        ({"type": "array", "items": {"type": "integer"}, "default": [1]}, "IntsInput", [1]),
        (
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "default": ["b"]},
            "SelectMultiple",
            ["b"],
        ),
        ({"type": "array", "default": [1, "a"]}, "Textarea", [1, "a"]),
        ({"type": "object", "default": {"a": [None]}}, "Textarea", {"a": [None]}),
        ({"default": 5}, "Textarea", 5),
        ({"type": ["string", "null"], "default": None}, "Textarea", None),
        ({"type": "string", "default": None}, "Text", ""),
    ],
)
def test_each_schema_has_its_control(spec: dict[str, Any], kind: str, value: Any) -> None:
    made = control("x", spec)
    assert made is not None
    assert type(made.widget).__name__ == kind
    assert made.value() == (spec["default"] if kind == "TagsInput" else value)


def test_names_and_help_stand_beside_the_control() -> None:
    made = control("n", {"type": "string", "title": "Topic", "description": "What about"})
    assert made is not None
    assert (made.widget.description, made.widget.tooltip) == ("Topic", "What about")


@pytest.mark.parametrize("typed", ["", "{", '{"a": 1, "a": 2}', "[" * 100_000])
def test_json_that_cannot_be_read_is_refused(typed: str) -> None:
    made = control("x", {"type": "object", "default": {}})
    assert made is not None
    made.widget.value = typed
    with pytest.raises(InputError, match="Parameter 'x'"):
        made.value()


def test_files_beside_the_notebook_are_suggested(workspace: Path) -> None:
    (workspace / "data").mkdir()
    (workspace / "data" / "a.csv").touch()
    (workspace / ".hidden").touch()
    made = control("x", {"type": "file"})
    assert made is not None
    assert "data/a.csv" in made.widget.options
    assert ".hidden" not in made.widget.options


def texts(widget: Any) -> list[str]:
    """Return all texts that a form shows."""
    if isinstance(widget, ipywidgets.Label):
        return [widget.value]
    if isinstance(widget, ipywidgets.Output):
        return [str(output["data"]) for output in widget.outputs]
    return [text for child in getattr(widget, "children", ()) for text in texts(child)]


def buttons(form: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    pending: list[Any] = [form]
    while pending:
        one = pending.pop()
        pending += getattr(one, "children", ())
        if isinstance(one, ipywidgets.Button):
            found[one.description] = one
    return found


def greeting() -> Flow:
    with Flow("Greet", parameters={"n": {"type": "integer", "minimum": 1, "default": 2}}) as flow:
        flow.add("text.template", id="said", template="{{params.n}} times")
    return flow


def test_run_uses_what_is_set() -> None:
    form = greeting().form()
    assert form.inputs == {"n": 2}
    with pytest.raises(NotFoundError, match="Press Run"):
        _ = form.value
    form.controls["n"].widget.value = 7
    buttons(form)["Run"].click()
    assert form.wait(PATIENCE)
    assert form.value == "7 times"
    assert form.run.outputs == {"said": "7 times"}
    assert "Completed." in texts(form)
    assert any("7 times" in text for text in texts(form))
    assert not buttons(form)["Run"].disabled


def test_what_is_wrong_is_said_and_nothing_runs() -> None:
    form = greeting().form()
    form.controls["n"].widget.value = 0
    form.submit()
    assert form.wait(PATIENCE)
    assert any("Parameter 'n'" in text for text in texts(form))
    with pytest.raises(NotFoundError):
        _ = form.run


def test_a_failed_run_says_why() -> None:
    @node("cell.broken")
    def broken() -> int:
        return 1 // 0

    with Flow("Broken") as flow:
        flow.add("cell.broken", id="b")
    form = flow.form()
    form.submit()
    assert form.wait(PATIENCE)
    assert any("ZeroDivisionError" in text for text in texts(form))


def test_stop_ends_the_run() -> None:
    began = threading.Event()

    @node("cell.endless")
    def endless(ctx: Context) -> int:
        began.set()
        while True:
            ctx.raise_if_cancelled()

    with Flow("Endless") as flow:
        flow.add("cell.endless", id="e")
    form = flow.form()
    form.submit()
    assert began.wait(PATIENCE)
    assert not buttons(form)["Stop"].disabled
    buttons(form)["Stop"].click()
    assert form.wait(PATIENCE)
    assert any("cancelled" in text for text in texts(form))
    assert buttons(form)["Stop"].disabled


def shown(give: Callable[[], Any]) -> Any:
    node("cell.give")(give)
    with Flow("Given") as flow:
        flow.add("cell.give", id="g")
    form = flow.form()
    form.submit()
    assert form.wait(PATIENCE)
    return form


def test_a_widget_is_shown_live() -> None:
    made = ipywidgets.IntSlider(value=4)

    def give() -> Any:
        return made

    form = shown(give)
    assert form.value is made
    assert any(made in getattr(child, "children", ()) for child in form.children)


def test_tables_are_shown_in_part() -> None:
    def give() -> Table:
        return pl.DataFrame({"a": range(10_000)})

    form = shown(give)
    assert any("10,000 rows" in text for text in texts(form))


def test_what_only_code_can_give_is_said() -> None:
    with Flow("Live", parameters={"frame": {"type": "table"}}) as flow:
        flow.add("table.head", id="h", inputs={"table": flow.params["frame"]})
    form = flow.form()
    assert form.controls == {}
    assert buttons(form)["Run"].disabled
    assert any("flow.run(frame=...)" in text for text in texts(form))
