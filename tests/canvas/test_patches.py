"""Edits of a flow that a cell builds, as a change of that cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab import Flow
from iaiflow_lab.canvas import edits as held_edits
from iaiflow_lab.canvas.cells import Cell
from iaiflow_lab.canvas.edits import Edits
from iaiflow_lab.canvas.patches import patch
from iaiflow_lab.canvas.shelf import Shelf
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.flow import Flow as Definition
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


def kept_edits(build: Definition, workspace: Path) -> Edits:
    return Edits(cell(CELL), lambda: build, CATALOG, Shelf(workspace))


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
