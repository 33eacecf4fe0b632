"""From a typed function to a node type."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.annotations import As, Body, Expression, Table, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Done, Expand, Skip


@node("text.split", category="Text", title="Split", version=3)
def split(text: str, *, separator: str = "\n", limit: int | None = None) -> list[str]:
    """Split a text.

    More about it.

    Args:
        text: What to split.
        separator: Where it is split;
            never empty.
        limit: How many parts.
    """
    return text.split(separator, -1 if limit is None else limit)


def test_calling_it_calls_the_function() -> None:
    assert split("a,b", separator=",") == ["a", "b"]


def test_ports_fields_and_help() -> None:
    found = split.signature
    assert (found.type, found.version, found.category, found.title) == (
        "text.split",
        3,
        "Text",
        "Split",
    )
    assert found.summary == "Split a text."
    assert found.help == "Split a text.\n\nMore about it."
    assert [(p.name, str(p.type), p.required, p.help) for p in found.inputs] == [
        ("text", "text", True, "What to split.")
    ]
    assert [(p.name, str(p.type)) for p in found.outputs] == [("out", "list[text]")]
    assert found.config_ports["separator"].help == "Where it is split; never empty."
    assert str(found.config_ports["limit"].type) == "number"
    properties = found.config_schema["properties"]
    assert properties["separator"]["default"] == "\n"
    assert properties["text"]["x-port"] == "text"


class Several(TypedDict, total=False):
    yes: int
    no: str


@dataclass
class Both:
    left: int
    right: Table


class Pair(NamedTuple):
    first: int
    second: list[float]


def several() -> Several: ...
def both() -> Both: ...
def pair() -> Pair: ...
def maybe() -> Several | Skip: ...
def nothing() -> None: ...
def anything(): ...
def stream() -> Iterator[int]: ...
async def astream() -> AsyncIterator[int]: ...
def expand() -> Expand: ...
def expand_as() -> Annotated[Expand, As("list[any]")]: ...
def done() -> Done: ...
def optional() -> int | None: ...


@pytest.mark.parametrize(
    ("function", "outputs"),
    [
        (several, {"yes": "number", "no": "text"}),
        (both, {"left": "number", "right": "table"}),
        (pair, {"first": "number", "second": "list[number]"}),
        (maybe, {"yes": "number", "no": "text"}),
        (nothing, {}),
        (anything, {"out": "any"}),
        (stream, {"out": "number"}),
        (astream, {"out": "number"}),
        (expand, {}),
        (expand_as, {"out": "list[any]"}),
        (done, {}),
        (optional, {"out": "number"}),
    ],
)
def test_outputs(function: Any, outputs: dict[str, str]) -> None:
    made = node("t.x")(function)
    assert {port.name: str(port.type) for port in made.outputs} == outputs


def test_styles() -> None:
    async def coroutine() -> None: ...
    async def async_stream() -> AsyncIterator[int]:
        yield 1

    def generator() -> Iterator[int]:
        yield 1

    found = [node("t.x")(f).style for f in (coroutine, async_stream, generator, nothing)]
    assert found == ["async", "async_generator", "generator", "sync"]


def test_a_class_takes_its_configuration_when_it_is_made() -> None:
    @node("t.class")
    class Scale:
        """Multiply."""

        def __init__(self, *, factor: float = 2.0) -> None:
            self.factor = factor

        def run(self, value: float, ctx: Context) -> float:
            return value * self.factor

    assert Scale.context_name == "ctx"
    assert [p.name for p in Scale.inputs] == ["value"]
    assert [f.name for f in Scale.fields] == ["factor"]
    assert Scale.call({"value": 3}, {"factor": 4}, None) == 12
    assert Scale.help == "Multiply."


def test_free_inputs_templates_expressions_bodies() -> None:
    @node("t.free")
    def free(
        *, text: Template, when: Expression = "", body: Body | None = None, **names: float
    ) -> str:
        return text

    found = free.signature
    assert str(found.free_inputs) == "number"
    assert found.templates == ("text",)
    assert found.expressions == ("when",)


def test_migrations_bring_old_configurations_up_to_date() -> None:
    @node(
        "t.old",
        version=3,
        migrations={
            1: lambda config: {"name": config["title"]},
            2: lambda config: {**config, "size": 1},
        },
    )
    def current(*, name: str, size: int) -> str:
        return name

    assert current.migrate({"title": "x"}, 1) == {"name": "x", "size": 1}
    assert current.migrate({"name": "x"}, 2) == {"name": "x", "size": 1}
    with pytest.raises(NodeError, match="version 4 is not installed"):
        current.migrate({}, 4)


def test_a_missing_migration_is_named() -> None:
    @node("t.old", version=2)
    def current() -> None: ...

    with pytest.raises(NodeError, match="no migration from version 1"):
        current.migrate({}, 1)
