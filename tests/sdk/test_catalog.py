from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from iaiflow_lab.errors import NodeError, NotFoundError
from iaiflow_lab.model.file import parse
from iaiflow_lab.model.rules import check
from iaiflow_lab.sdk import catalog as catalog_module
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.sdk.node import CELL_TYPES, NodeType, node

BUILT_IN = {
    *("chart", "delay", "file.read", "file.write", "http.request", "if", "json.pick", "map"),
    *("merge", "notebook", "python", "sql", "subflow", "table.aggregate", "table.filter"),
    *("table.join", "table.read", "table.write", "text.template"),
}

SHOUT = '''
from iaiflow_lab import Context, Template, node

with open("imported", "a") as file:
    file.write("x")

@node("text.shout", category="Loud", version=2, migrations={1: lambda c: c})
def shout(text: str, ctx: Context, *, mark: Template = "!", times: int) -> str:
    """Shout a text.

    Args:
        text: What to shout.
    """
    return text.upper() + mark * times
'''


@pytest.fixture
def put(workspace: Path):
    """Return `put(name, source)`: writes a file into flow_nodes."""

    def write(name: str, source: str) -> Path:
        file = workspace / "flow_nodes" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
        return file

    return write


def test_the_built_in_types_are_found_through_their_entry_point() -> None:
    catalog = load_catalog(None)
    assert set(catalog.names()) >= BUILT_IN
    assert catalog.problems == ()
    source = catalog.source("sql")
    assert source is not None
    assert source.name == f"iaiflow-lab {metadata.version('iaiflow-lab')}"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_type_explains_itself(name: str) -> None:
    signature = load_catalog(None).signature(name)
    assert signature is not None
    assert signature.summary.endswith((".", "`"))
    assert signature.title != name
    assert signature.category != "Custom"
    for port in signature.inputs:
        assert port.help, port.name
    for field in signature.config_ports:
        assert signature.config_schema["properties"][field].get("description"), field


def test_looking_at_a_file_does_not_run_it(workspace: Path, put) -> None:
    put("loud.py", SHOUT)
    flow = parse(
        '{"format": "iaiflow/1", "nodes": {"a": {"type": "text.shout", "version": 2,'
        ' "config": {"times": 2, "text": "x", "mark": "{{params.m}}"}}},'
        ' "parameters": {"m": {"type": "string"}}}'
    )
    catalog = load_catalog(workspace)
    assert [problem for problem in check(flow, catalog) if problem.severity == "error"] == []
    signature = catalog.signature("text.shout")
    assert signature is not None
    assert [(port.name, port.required) for port in signature.inputs] == [("text", True)]
    assert {name: port.required for name, port in signature.config_ports.items()} == {
        "mark": False,
        "times": True,
    }
    assert (signature.version, signature.category) == (2, "Loud")
    assert (signature.templates, signature.summary) == (("mark",), "Shout a text.")
    assert "text.shout" in catalog.names()
    assert not (workspace / "imported").exists()


def test_what_a_run_needs_is_imported_once(workspace: Path, put) -> None:
    put("loud.py", SHOUT)
    for _ in range(2):
        shout = load_catalog(workspace).require("text.shout")
        assert shout("a", None, mark="?", times=2) == "A??"
    assert (workspace / "imported").read_text() == "x"


def test_a_file_that_has_changed_is_imported_again(workspace: Path, put) -> None:
    put("loud.py", SHOUT)
    assert load_catalog(workspace).require("text.shout")("a", None, mark="!", times=1) == "A!"
    put("loud.py", SHOUT.replace("upper()", "lower() + text.upper()"))
    assert load_catalog(workspace).require("text.shout")("a", None, mark="!", times=1) == "aA!"


def test_an_edit_within_the_clocks_tick_is_noticed_in_helpers_too(workspace: Path, put) -> None:
    put("_shared.py", "NAME = 'one'\n")
    put(
        "who.py",
        "from iaiflow_lab import node\nfrom ._shared import NAME\n"
        "@node('who.is')\ndef who() -> str:\n    return NAME\n",
    )
    assert load_catalog(workspace).require("who.is")() == "one"
    put("_shared.py", "NAME = 'other'\n")
    assert load_catalog(workspace).require("who.is")() == "other"


def test_files_can_import_each_other_and_workspaces_do_not_mix(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "flow_nodes"
        folder.mkdir(parents=True)
        (folder / "_shared.py").write_text(f"NAME = {name!r}\n")
        (folder / "who.py").write_text(
            "from iaiflow_lab import node\nfrom ._shared import NAME\n"
            '@node("who.am_i")\ndef am_i() -> str:\n    """Say the name."""\n    return NAME\n'
        )
    answers = [load_catalog(tmp_path / name).require("who.am_i")() for name in ("one", "two")]
    assert answers == ["one", "two"]


def test_a_broken_file_hides_no_other(workspace: Path, put) -> None:
    put("loud.py", SHOUT)
    put("broken.py", "def half(:\n")
    put("binary.py", "x = '\0'\n")
    put("test_loud.py", "raise RuntimeError")
    put("_helper.py", "raise RuntimeError")
    put("nameless.py", "from iaiflow_lab import node\n\n@node\ndef lost(): ...\n")
    put("twice.py", "from iaiflow_lab import node\n@node('text.shout')\ndef a(): ...\n")
    put("taken.py", "from iaiflow_lab import node\n\n\n@node('sql')\ndef a(): ...\n")
    put("cells.py", "from iaiflow_lab import node\n@node('cell.x')\ndef a(): ...\n")
    catalog = load_catalog(workspace)
    assert "text.shout" in catalog.names()
    found = {Path(p.file).name: (p.line, p.message) for p in catalog.problems}
    assert sorted(found) == [
        *("binary.py", "broken.py", "cells.py", "nameless.py", "taken.py", "twice.py")
    ]
    assert found["broken.py"][0] == 1
    assert found["nameless.py"] == (
        3,
        'lost has no name for flow files; write @node("family.lost").',
    )
    assert found["taken.py"][0] == 4
    assert "already in the pack iaiflow-lab" in found["taken.py"][1]
    assert "already in loud.py" in found["twice.py"][1]
    assert catalog.require("sql").category == "Tables"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import no_such_library", "No module named"),
        ("raise SystemExit(3)", "SystemExit"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_reported_with_its_line(
    workspace: Path, put, line: str, says: str
) -> None:
    put("fails.py", f"from iaiflow_lab import node\n\n{line}\n@node('a.b')\ndef b(): ...\n")
    put("loud.py", SHOUT)
    catalog = load_catalog(workspace)
    assert catalog.problems == ()
    with pytest.raises(NodeError, match=says) as caught:
        catalog.get("a.b")
    assert caught.value.where.endswith("fails.py:3")
    (problem,) = catalog.import_all()
    assert (Path(problem.file).name, problem.line) == ("fails.py", 3)
    assert catalog.get("text.shout") is not None


def test_a_type_that_is_not_made_at_the_top_is_reported(workspace: Path, put) -> None:
    put("late.py", "from iaiflow_lab import node\n@node('a.b')\ndef b(): ...\ndel b\n")
    with pytest.raises(NodeError, match="makes no such node type"):
        load_catalog(workspace).get("a.b")


@pytest.fixture
def look_anew():
    """Forget the packs that were found, now and after the test."""
    yield catalog_module.packs.cache_clear
    catalog_module.packs.cache_clear()


def test_installed_packs_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    load_catalog(None)
    monkeypatch.setattr(metadata, "entry_points", lambda group: pytest.fail("asked again"))
    assert set(load_catalog(None).names()) >= BUILT_IN


def test_a_broken_pack_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look_anew
) -> None:
    (tmp_path / "broken_pack.py").write_text("x = 1\nraise RuntimeError('no luck')\n")
    (tmp_path / "second_pack.py").write_text(
        "from iaiflow_lab import node\n@node('sql')\ndef sql(): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    real = metadata.entry_points(group=catalog_module.GROUP)
    more = [
        metadata.EntryPoint("abroken", "broken_pack", catalog_module.GROUP),
        metadata.EntryPoint("missing", "no_such_pack", catalog_module.GROUP),
        metadata.EntryPoint("zsecond", "second_pack", catalog_module.GROUP),
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda group: [*more, *real])
    look_anew()
    catalog = load_catalog(None)
    assert set(catalog.names()) >= BUILT_IN
    assert catalog.require("sql").category == "Tables"
    messages = [str(problem) for problem in catalog.problems]
    assert len(messages) == 3
    assert messages[0].startswith(f"{tmp_path}/broken_pack.py:2: The pack abroken (broken_pack)")
    assert messages[0].endswith("RuntimeError: no luck.")
    assert "no_such_pack" in messages[1]
    assert "'sql' is already in the pack iaiflow-lab" in messages[2]


def test_cells_are_in_the_catalog_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = load_catalog(None)
    assert catalog.get("cell.fresh_one") is None

    def fresh_one(x: int) -> int:
        """Do something new."""
        return x

    fresh_one.__module__ = "__main__"
    monkeypatch.setattr("iaiflow_lab.sdk.node.CELL_TYPES", CELL_TYPES)
    made = node(fresh_one)
    try:
        assert isinstance(made, NodeType)
        assert catalog.get("cell.fresh_one") is made
        assert "cell.fresh_one" in catalog.types()
        source = catalog.source("cell.fresh_one")
        assert source is not None
        assert source.kind == "cell"
        assert made.signature.title == "Fresh one"
    finally:
        del CELL_TYPES["cell.fresh_one"]


def test_unknown_names_get_a_hint() -> None:
    catalog = load_catalog(None)
    assert catalog.signature("no.such") is None
    assert catalog.source("no.such") is None
    with pytest.raises(NotFoundError) as caught:
        catalog.require("table.fliter")
    assert caught.value.remedy == "Did you mean 'table.filter'?"


def test_finding_the_built_in_types_imports_nothing_heavy() -> None:
    import subprocess

    program = (
        "import sys; from iaiflow_lab.sdk.catalog import load_catalog; load_catalog(None).names();"
        "heavy = {'polars', 'duckdb', 'altair', 'vl_convert', 'httpx', 'pydantic', 'IPython',"
        " 'papermill', 'sqlalchemy', 'nbformat'}; print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "source",
    [
        "@node('a.b', version='x', category=3, effects='all', title=None)\ndef b(x, *y, **z): ...",
        "@node('a.b', *[], **{})\nclass b: ...",
        "@node('a.b')\nclass b:\n    def __init__(self, *, k): ...\n    def run(self, x, /): ...",
        "@x.node('a.b')\nasync def b(c: 'Context', *, d: sdk.Template = '\\d'): ...",
        "@lab[0]\n@node('a.b')\ndef b(): ...",
    ],
)
def test_odd_declarations_are_read_and_checked_without_harm(workspace: Path, put, source) -> None:
    put("odd.py", source)
    catalog = load_catalog(workspace)
    flow = parse('{"format": "iaiflow/1", "nodes": {"a": {"type": "a.b", "config": {"x": 1}}}}')
    assert "IAI101" not in {problem.code for problem in check(flow, catalog)}
    signature = catalog.signature("a.b")
    assert signature is not None
    assert (signature.version, signature.category, signature.effects) == (1, "Custom", "none")


@pytest.mark.parametrize("source", ["(" * 100_000, "x = " + "-" * 100_000 + "1", "\ud800", ""])
def test_files_that_no_parser_likes_are_problems_and_nothing_more(put, workspace, source) -> None:
    put("odd.py", "").write_bytes(source.encode("utf-8", "surrogatepass"))
    assert set(load_catalog(workspace).names()) >= BUILT_IN
    assert len(load_catalog(workspace).problems) == (1 if source else 0)
