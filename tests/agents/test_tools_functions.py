"""Typed Python functions as tools."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any, Literal

import jsonschema
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from tool_calls import ask, call, inside, refused, said

from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_agents.tools.results import MAX_BYTES, shown
from iaiflow_agents.tools.tool import Tool, ToolCall, ToolResult
from iaiflow_lab.errors import InputError, NodeError
from iaiflow_lab.sdk.context import Context


class Point(BaseModel):
    x: int
    y: float = 0.5


@dataclass
class Box:
    width: int
    label: str = ""


@tool
def draw(
    points: list[Point],
    box: Box,
    mode: Literal["thin", "thick"] = "thin",
    *,
    count: int | None = None,
    extra: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Draw points into a box.

    Nothing is drawn beside it.

    Args:
        points: Where they
            are.
        box: The box.
        mode: How thick.
        count: How many of them.
        extra: Further numbers.
    """
    return {"points": points, "box": box, "mode": mode, "count": count, "extra": extra}


def run(made: Tool, **arguments: Any) -> ToolResult:
    """Call a tool that needs no context."""
    return asyncio.run(made.call(call(None, arguments)))


def test_a_function_says_what_it_takes() -> None:
    assert draw.name == draw.shown == "draw"
    assert draw.description == "Draw points into a box.\n\nNothing is drawn beside it."
    properties = draw.schema["properties"]
    assert properties["points"]["description"] == "Where they are."
    assert properties["mode"] == {
        "default": "thin",
        "description": "How thick.",
        "enum": ["thin", "thick"],
        "type": "string",
    }
    assert draw.schema["required"] == ["points", "box"]
    assert draw.schema["additionalProperties"] is False


def test_wrong_arguments_are_told_field_by_field() -> None:
    result = run(draw, points=[{"x": 1}, {"x": "one"}], mode="bold", count=[], more=1)
    lines = refused(result).splitlines()
    assert lines[0] == "The arguments don't fit; nothing was done:"
    places = [line.removeprefix("- ").partition(":")[0] for line in lines[1:]]
    assert sorted(places) == ["box", "count", "mode", "more", "points.1.x"]
    assert 'not "one"' in refused(result)


def test_right_arguments_arrive_converted() -> None:
    result = run(draw, points=[{"x": 1}], box={"width": "3"})
    assert json.loads(said(result)) == {
        "points": [{"x": 1, "y": 0.5}],
        "box": {"width": 3, "label": ""},
        "mode": "thin",
        "count": None,
        "extra": None,
    }
    assert isinstance(result.value["box"], Box)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    arguments=st.dictionaries(
        st.sampled_from(["points", "box", "mode", "count", "extra", "field_points", "x", ""]),
        json_values,
    )
)
def test_any_arguments_give_a_result_or_lines(arguments) -> None:
    result = run(draw, **arguments)
    if arguments.keys() - {"points", "box", "mode", "count", "extra"}:
        assert "Extra inputs are not permitted" in refused(result)
    elif jsonschema.Draft202012Validator(dict(draw.schema)).is_valid(arguments):
        assert not result.is_error, result.content


def test_a_function_that_is_not_async_does_not_block(lab) -> None:
    go_on = threading.Event()

    async def work(ctx: Context) -> Any:
        loop, started = asyncio.get_running_loop(), asyncio.Event()

        @tool
        def block() -> str:
            """Wait."""
            loop.call_soon_threadsafe(started.set)
            assert go_on.wait(60)
            return threading.current_thread().name

        waiting = asyncio.create_task(ask(ctx, block))
        await started.wait()
        go_on.set()
        return await waiting

    assert said(inside(lab, work)) == "tool"


def test_the_context_and_the_call_are_handed_over(lab) -> None:
    @tool
    async def where(ctx: Context, made: ToolCall, *, loud: bool = False) -> str:
        """Say where."""
        return f"{ctx.run_id} {ctx.step} {made.key} {loud}"

    assert [*where.schema["properties"]] == ["loud"]
    assert said(inside(lab, lambda ctx: ask(ctx, where))) == "run_1 n key of toolu_1 False"


def test_what_takes_too_long_is_stopped(lab) -> None:
    ended = threading.Event()

    @tool(timeout=0.05)
    def endless() -> None:
        """Go on."""
        try:
            while True:
                threading.Event().wait(0.01)
        finally:
            ended.set()

    @tool(timeout=0.05)
    async def asleep() -> None:
        """Sleep."""
        await asyncio.sleep(600)

    assert "longer than 0.05 seconds" in refused(inside(lab, lambda ctx: ask(ctx, endless)))
    assert ended.wait(60)
    assert "longer than 0.05 seconds" in refused(inside(lab, lambda ctx: ask(ctx, asleep)))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("It is wrong.", where="here", remedy="Do it right"), "It is wrong. - here - "),
        (ZeroDivisionError("by\n zero"), "ZeroDivisionError: by zero"),
        (TimeoutError(), "TimeoutError"),
        (StopIteration(3), "RuntimeError: StopIteration: 3"),
        (KeyError("x" * 10_000), "KeyError: 'xxx"),
    ],
)
def test_an_exception_is_one_sentence(lab, error, told) -> None:
    @tool
    def fail() -> None:
        """Fail."""
        raise error

    result = refused(inside(lab, lambda ctx: ask(ctx, fail)))
    assert result.startswith(told)
    assert len(result) <= 2_000


def test_large_results_are_cut() -> None:
    @tool
    def much() -> str:
        """Say much."""
        return "é\ud800" * 300_000

    content = said(run(much))
    assert content.endswith("bytes are shown]")
    assert len(content.encode()) < MAX_BYTES + 100


def test_a_table_is_its_head_with_counts() -> None:
    frame = pl.DataFrame({"carrier": ["AA", "B6"] * 500, "delay": range(1_000)})
    lines = str(shown(frame).content).splitlines()
    assert lines[0] == "1,000 rows x 2 columns: carrier (String), delay (Int64)"
    assert lines[1:4] == ["The first 50 rows:", '["AA",0]', '["B6",1]']
    lazy = str(shown(frame.lazy()).content)
    assert lazy.startswith("more than 50 rows")
    wide = pl.DataFrame({"text": ["x" * 9_000] * 40})
    assert "The first 2 rows" in str(shown(wide).content)


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (None, "Done."),
        ({"a": float("nan"), 1: {2}}, '{"a":null,"1":[2]}'),
        (b"\x00\x01", "2 bytes"),
        (object(), None),
    ],
)
def test_any_value_can_be_shown(value, content) -> None:
    found = shown(value).content
    assert isinstance(found, str)
    assert content is None or found == content


def test_what_holds_itself_can_be_shown() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "…" in str(shown(loop).content)


def test_a_picture_is_shown_as_one() -> None:
    found = shown(b"\x89PNG....").content
    assert isinstance(found, list)
    assert found[0]["source"]["media_type"] == "image/png"


def test_pictures_without_end_are_cut_like_texts() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 3_000_000}
    found = shown(ToolResult([{"type": "image", "source": source}] * 50)).content
    assert isinstance(found, list)
    assert [block["type"] for block in found] == ["image"] * 3 + ["text"]
    assert "left out" in found[-1]["text"]


def takes_table(table: pl.DataFrame) -> None:
    """Take a table."""


def takes_any(*values: int) -> None:
    """Take all."""


def takes_unknown(value: Missing) -> None:  # noqa: F821
    """Take what is not there."""


def yields() -> Any:
    """Yield."""
    yield 1


@pytest.mark.parametrize("function", [takes_table, takes_any, takes_unknown, yields])
def test_what_no_model_can_call_is_refused(function) -> None:
    with pytest.raises(NodeError) as refusal:
        tool(function)
    assert function.__name__ in str(refusal.value)


def test_a_name_has_to_be_one() -> None:
    with pytest.raises(NodeError, match="no name of a tool"):
        tool(name="a b")(lambda: None)


def test_a_function_of_a_cell_can_be_named(monkeypatch) -> None:
    def in_cell() -> str:
        """Be there."""
        return "here"

    in_cell.__module__ = "__main__"
    monkeypatch.setattr("iaiflow_agents.tools.functions.CELL_TOOLS", CELL_TOOLS)
    tool(in_cell)
    try:
        assert said(run(CELL_TOOLS["in_cell"])) == "here"
    finally:
        del CELL_TOOLS["in_cell"]
