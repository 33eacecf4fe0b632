"""Edits of a flow that a cell builds, as a change of that cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab import Flow
from iaiflow_lab.canvas import edits as held_edits
from iaiflow_lab.canvas.cells import Cell
from iaiflow_lab.canvas.edits import Edits
from iaiflow_lab.canvas.patches import patch
from iaiflow_lab.canvas.shelf import Shelf
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.data import parse_edge
from iaiflow_lab.model.flow import Flow as Definition
from iaiflow_lab.model.flow import Node
from iaiflow_lab.sdk.catalog import load_catalog

CATALOG = load_catalog(None)
CELL = """from iaiflow_lab import Flow
import math

# Greets.
with Flow("Greet", parameters={"name": {"default": "you"}}) as flow:
    # who
    hello = flow.add('text.template', template="Hello {{params.name}}")  # typed so

    wait = flow.add("delay", id="b", seconds=math.pi, value=hello)
    flow.returns(said=wait)
flow"""


def built(code: str, name: str = "flow") -> Definition:
    space: dict[str, Any] = {}
    exec(code, space)
    return space[name].build()


def edited(change: Callable[[Flow], Any], base: Definition | None = None) -> Definition:
    flow = Flow.of(base or built(CELL))
    change(flow)
    return flow.build()


def add(flow: Flow) -> None:
    flow.add("text.join", id="all", separator="-")
    flow.connect("b.out -> all.items")


def configure(flow: Flow) -> None:
    flow._nodes["b"] = dataclasses.replace(flow._nodes["b"], config={"seconds": 1})


def remove(flow: Flow) -> None:
    del flow._nodes["b"]
    flow._edges.clear()
    flow._outputs = None


def place(flow: Flow) -> None:
    flow.place({"template": (0, 0), "b": (280.5, 0)})


def rename(flow: Flow) -> None:
    flow._name = "Other"


def nest(flow: Flow) -> None:
    flow.add("subflow", id="part", body=Flow("Inner"))


@pytest.mark.parametrize("change", [add, configure, remove, place, rename, nest])
def test_the_patched_cell_builds_the_edited_flow(change: Callable[[Flow], Any]) -> None:
    wanted = edited(change)
    code, cell = patch(CELL, built(CELL), wanted, CATALOG)
    assert cell == CELL
    assert built(code) == wanted
    assert code.startswith("from iaiflow_lab import Flow\nimport math\n\n# Greets.\n")
    assert code.endswith("\nflow")


def test_what_did_not_change_stays_as_typed() -> None:
    code, _ = patch(CELL, built(CELL), edited(configure), CATALOG)
    new = [line for line in code.splitlines() if line not in CELL.splitlines()]
    assert new == ['    wait = flow.add("delay", id="b", seconds=1, value=hello.out)']
    code, _ = patch(CELL, built(CELL), edited(add), CATALOG)
    assert set(CELL.splitlines()) <= set(code.splitlines())
    assert len(code.splitlines()) == len(CELL.splitlines()) + 1
    unchanged, _ = patch(CELL, built(CELL), built(CELL), CATALOG)
    assert unchanged == CELL


LOOP = """from iaiflow_lab import Flow
if True:
    with Flow("Loop") as drawn:
        for number in range(3):
            drawn.add("delay", id=f"d{number}", seconds=number)
print(1)"""


def test_a_block_that_is_not_straight_is_written_anew() -> None:
    base = built(LOOP, "drawn")
    wanted = edited(lambda flow: flow.add("delay", id="last", seconds=9), base)
    code, cell = patch(LOOP, base, wanted, CATALOG)
    assert cell == LOOP
    assert built(code, "drawn") == wanted
    assert "for number" not in code
    assert code.endswith("\nprint(1)")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "%matplotlib inline\nflow",
        "flow = make()",
        "with Flow(name) as flow:\n    pass",
        'with Flow("Greet") as flow: pass',
        'with Flow("Greet") as a:\n    pass\nwith Flow("Greet") as b:\n    pass',
    ],
)
def test_without_the_block_the_code_stands_by_itself(source: str) -> None:
    wanted = edited(add)
    code, cell = patch(source, built(CELL), wanted, CATALOG)
    assert cell == ""
    assert built(code) == wanted


def test_edges_that_were_connected_otherwise_are_not_doubled() -> None:
    source = (
        "from iaiflow_lab import Flow\n"
        'with Flow("E") as flow:\n'
        '    flow.add("text.template", id="a", template="x")\n'
        '    flow.add("text.template", id="b", template="{{x}}")\n'
        '    flow.connect("a.out -> b.x")\n'
    )
    base = built(source)
    wanted = edited(lambda flow: flow.add("delay", id="c", seconds=1), base)
    assert built(patch(source, base, wanted, CATALOG)[0]) == wanted


CONNECTED = """from iaiflow_lab import Flow
with Flow("Connected", parameters={"name": {"default": "you"}}) as flow:
    # greet
    hello = flow.add('text.template', id="hello", template="Hello {{who}} {{more}}")  # typed so
    wait = flow.add("delay", id="wait", seconds = 2)
    # first who, then the rest
    flow.connect("params.name -> hello.who")
    flow.connect(hello.out, wait.value)  # slow
    last = flow.add("text.join", id="last", items=[hello], separator=" ")

    flow.connect(wait["value"], "last.separator")
    flow.place({"hello": (0, 0)})
"""


@pytest.mark.parametrize(
    ("change", "gone", "new"),
    [
        (
            lambda flow: flow.connect("params.name -> hello.more"),
            [],
            ['    flow.connect("params.name -> hello.more")'],
        ),
        (
            lambda flow: flow._edges.remove(parse_edge("hello.out -> wait.value")),
            ["    flow.connect(hello.out, wait.value)  # slow"],
            [],
        ),
        (
            lambda flow: flow._nodes.update(wait=Node("delay", config={"seconds": 9})),
            ['    wait = flow.add("delay", id="wait", seconds = 2)'],
            ['    wait = flow.add("delay", id="wait", seconds=9)'],
        ),
        (
            lambda flow: (flow.add("delay", id="new"), flow.connect("last.out -> new.value")),
            [],
            ['    flow.add("delay", id="new")', '    flow.connect("last.out -> new.value")'],
        ),
        (
            lambda flow: flow.place({"wait": (9, 9)}),
            ['    flow.place({"hello": (0, 0)})'],
            ['    flow.place({"hello": (0, 0), "wait": (9, 9)})'],
        ),
    ],
    ids=["connect", "disconnect", "configure", "add", "move"],
)
def test_cells_that_connect_keep_what_they_typed(
    change: Callable[[Flow], Any], gone: list[str], new: list[str]
) -> None:
    wanted = edited(change, built(CONNECTED))

    code, cell = patch(CONNECTED, built(CONNECTED), wanted, CATALOG)

    assert built(code) == wanted
    assert cell == CONNECTED
    before, after = CONNECTED.splitlines(), code.splitlines()
    assert [line for line in before if line not in after] == gone
    assert [line for line in after if line not in before] == new


_style = st.sampled_from(["argument", "text", "ports"])
_ends = st.tuples(st.integers(0, 4), st.integers(0, 4), _style)


def _typed(count: int, edges: list[tuple[int, int, str]]) -> str:
    """Return a cell that adds nodes and connects each as soon as both are there."""
    lines = ["from iaiflow_lab import Flow", 'with Flow("Random") as flow:', "    pass"]
    for number in range(count):
        here = [(min(ends), style) for *ends, style in edges if max(ends) == number]
        wired = [f"p{k}=n{a}.out" for k, (a, how) in enumerate(here) if how == "argument"]
        config = ", ".join([f"seconds={number}", *(w for w in wired if f"=n{number}." not in w)])
        lines += [f"    # {number}", f"    n{number} = flow.add('delay', id='n{number}', {config})"]
        for port, (source, how) in enumerate(here):
            if how == "text":
                lines.append(f"    flow.connect('n{source}.out -> n{number}.p{port}')")
            elif how == "ports":
                lines.append(f"    flow.connect(n{source}.out, n{number}.p{port})")
    return "\n".join(lines)


@given(
    count=st.integers(1, 5),
    edges=st.lists(_ends, max_size=8),
    changes=st.lists(
        st.tuples(
            st.sampled_from(["add", "drop", "wire", "cut", "set", "swap"]), st.integers(0, 9)
        ),
        max_size=4,
    ),
)
def test_whatever_is_edited_the_cell_builds_it(
    count: int, edges: list[tuple[int, int, str]], changes: list[tuple[str, int]]
) -> None:
    source = _typed(count, edges)
    base = built(source)

    def change(flow: Flow) -> None:
        for step, (what, number) in enumerate(changes):
            ids = [*flow._nodes]
            one = ids[number % len(ids)] if ids else ""
            if what == "add":
                flow.add("delay", id=f"new{step}", seconds=number)
            elif what == "drop" and ids:
                del flow._nodes[one]
                flow._edges[:] = [e for e in flow._edges if one not in (e.source, e.target)]
            elif what == "wire" and ids:
                flow.connect(f"{ids[0]}.out -> {one}.q{len(flow._edges)}")
            elif what == "cut" and flow._edges:
                del flow._edges[number % len(flow._edges)]
            elif what == "swap" and len(flow._edges) > 1:
                flow._edges.reverse()
            elif what == "set" and ids:
                flow._nodes[one] = dataclasses.replace(flow._nodes[one], config={"seconds": 99})

    wanted = edited(change, base)

    assert built(patch(source, base, wanted, CATALOG)[0]) == wanted
    assert patch(source, base, base, CATALOG)[0] == source


def cell(source: str, number: int = 1) -> Cell:
    return Cell("cell-of-the-test", source, number)


def edits(build: Definition, name: str) -> Edits:
    renamed = dataclasses.replace(build, name=name)
    return Edits(cell(CELL), lambda: renamed, CATALOG)


def test_held_edits_survive_the_same_code() -> None:
    first = edits(built(CELL), "survive")
    wanted = dataclasses.replace(edited(add), name="survive")
    first.adopt(wanted)
    assert first.read() == wanted
    again = edits(built(CELL), "survive")
    assert again.read() == wanted
    assert again.offered == 0


def test_applied_edits_are_held_no_more() -> None:
    first = edits(built(CELL), "applied")
    first.adopt(dataclasses.replace(edited(add), name="applied"))
    applied = edits(edited(add), "applied")
    assert applied.read() == dataclasses.replace(edited(add), name="applied")
    assert applied.offered == 0
    assert edits(built(CELL), "applied").read().nodes.keys() == built(CELL).nodes.keys()


def test_changed_code_offers_the_edits() -> None:
    first = edits(built(CELL), "offered")
    wanted = dataclasses.replace(edited(add), name="offered")
    first.adopt(wanted)
    changed = edits(edited(configure), "offered")
    assert changed.offered == 1
    assert changed.read().nodes == edited(configure).nodes
    third = edits(edited(place), "offered")  # and is not lost by executing once more
    assert third.offered == 1
    newer = dataclasses.replace(edited(remove), name="offered")
    third.adopt(newer)
    third.bring_back()
    assert (third.read(), third.offered) == (wanted, 1)  # the newer ones wait now
    third.bring_back()
    assert (third.read(), third.offered) == (newer, 1)
    third.bring_back()
    third.discard()
    third.discard()
    third.bring_back()
    assert (third.read(), third.offered) == (wanted, 0)


def test_offers_can_be_discarded() -> None:
    first = edits(built(CELL), "discarded")
    first.adopt(dataclasses.replace(edited(add), name="discarded"))
    changed = edits(edited(configure), "discarded")
    changed.discard()
    assert changed.offered == 0
    assert edits(edited(configure), "discarded").offered == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "cell",
    [
        'note = "one\u2028line"\nwith Flow("G") as flow:\n    flow.add("delay", id="a")\n',
        '\x0c\nwith Flow("G") as flow:\n    flow.add("delay", id="a")\n    # the end',
        'with Flow("G") as flow:\n    flow.add("delay", id="a"); flow.add("delay", id="b")\n',
        'with Flow("G") as flow:\n    flow.add(\n        "delay", id="a"); flow.place({})\n',
    ],
)
def test_lines_are_those_of_python(cell: str, end: str) -> None:
    source = f"from iaiflow_lab import Flow\n{cell}".replace("\n", end)
    wanted = edited(lambda flow: flow.add("delay", id="new", seconds=3), built(source))

    code, old = patch(source, built(source), wanted, CATALOG)

    assert old == source
    assert built(code) == wanted


@pytest.fixture
def new_kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that forgets what this process holds."""

    def forget() -> None:
        monkeypatch.setattr(held_edits, "_held", {})
        monkeypatch.setattr(held_edits, "_offered", {})

    forget()
    return forget


def kept_edits(build: Definition, workspace: Path, notebook: str = "work.ipynb") -> Edits:
    return Edits(cell(CELL), lambda: build, CATALOG, Shelf(workspace, workspace / notebook))


def files_in(workspace: Path) -> list[Path]:
    return list((workspace / ".iaiflow").glob("edits/*"))


def test_held_edits_outlive_the_kernel(new_kernel: Callable[[], None], workspace: Path) -> None:
    first = kept_edits(built(CELL), workspace)
    assert files_in(workspace) == []
    first.adopt(edited(add))
    new_kernel()
    again = kept_edits(built(CELL), workspace)
    assert again.read() == edited(add)
    assert again.is_held()
    new_kernel()
    changed = kept_edits(edited(configure), workspace)
    assert (changed.offered, changed.is_held()) == (1, False)
    new_kernel()
    third = kept_edits(edited(configure), workspace)
    third.bring_back()
    new_kernel()
    applied = kept_edits(edited(add), workspace)
    assert (applied.offered, applied.is_held()) == (0, False)
    assert files_in(workspace) == []


def test_a_copied_notebook_has_edits_of_its_own(
    new_kernel: Callable[[], None], workspace: Path
) -> None:
    kept_edits(built(CELL), workspace).adopt(edited(add))
    new_kernel()
    copy = kept_edits(built(CELL), workspace, "copy.ipynb")
    assert copy.read() == built(CELL)
    copy.adopt(edited(configure))
    new_kernel()
    assert kept_edits(built(CELL), workspace).read() == edited(add)


def test_showing_held_edits_again_writes_nothing(
    new_kernel: Callable[[], None], workspace: Path
) -> None:
    kept_edits(built(CELL), workspace).adopt(edited(add))
    (place,) = files_in(workspace)
    before = place.stat().st_ino
    assert kept_edits(built(CELL), workspace).is_held()
    new_kernel()
    assert kept_edits(built(CELL), workspace).is_held()
    assert place.stat().st_ino == before  # a write makes another file


def test_discarded_edits_do_not_come_back(new_kernel: Callable[[], None], workspace: Path) -> None:
    kept_edits(built(CELL), workspace).adopt(edited(add))
    changed = kept_edits(edited(configure), workspace)
    changed.discard()
    new_kernel()
    assert kept_edits(edited(configure), workspace).offered == 0


@pytest.mark.parametrize("content", ["", "[]", '{"held": {"base": "{}", "edited": 7}}'])
def test_a_shelf_that_cannot_be_read_holds_nothing(
    content: str, new_kernel: Callable[[], None], workspace: Path
) -> None:
    kept_edits(built(CELL), workspace).adopt(edited(add))
    (place,) = files_in(workspace)
    place.write_text(content)
    new_kernel()
    assert kept_edits(built(CELL), workspace).read() == built(CELL)


def test_edits_that_cannot_be_kept_are_held_and_said(
    new_kernel: Callable[[], None], workspace: Path
) -> None:
    (workspace / ".iaiflow").write_text("in the way")
    found = kept_edits(built(CELL), workspace)
    with pytest.raises(InputError, match="The state folder cannot be written"):
        found.adopt(edited(add))
    assert found.read() == edited(add)
    assert kept_edits(built(CELL), workspace).read() == edited(add)  # the cell ran again
