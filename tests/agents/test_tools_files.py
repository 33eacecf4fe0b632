"""Files of the workspace as tools."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tool_calls import ask, inside, refused, said

from iaiflow_agents.tools.files import MAX_BYTES, MAX_SHOWN, file_tools
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import ToolResult


@pytest.fixture
def use(lab):
    """Return `use(label, **arguments)`: what the tool says."""

    def run(label: str, /, **arguments: Any) -> ToolResult:
        return inside(lab, lambda ctx: ask(ctx, file_tools(Reach(ctx))[label], **arguments))

    return run


def test_files_are_written_read_changed_and_listed(use, workspace) -> None:
    assert said(use("files.write", path="out/a.md", content="one\r\ntwo\n")).startswith("Made")
    assert said(use("files.replace", path="out/a.md", old="two", new="2")) == (
        "Replaced in line 2 of out/a.md."
    )
    result = use("files.read", path="./out/a.md")
    assert (said(result), result.untrusted) == ("one\r\n2\n", True)
    assert said(use("files.write", path="out/a.md", content="")).startswith("Replaced")
    (workspace / ".env").write_text("KEY=1")
    assert said(use("files.list")) == "out/"
    assert said(use("files.list", folder="out")) == "a.md (0)"


def test_a_file_keeps_its_mode(use, workspace) -> None:
    (workspace / "run.sh").write_text("a")
    (workspace / "run.sh").chmod(0o750)
    use("files.write", path="run.sh", content="b")
    assert (workspace / "run.sh").stat().st_mode & 0o777 == 0o750
    assert [each.name for each in workspace.iterdir() if not each.name.startswith(".")] == [
        "run.sh"
    ]


HOSTILE = [
    "../x",
    "/etc/passwd",
    "~/x",
    "a/../../x",
    ".iaiflow/config.toml",
    ".IAIFLOW/config.toml",
    "./.iaiflow/lab.db",
    ".git/config",
    ".env",
    "a/.hidden/x",
    "report.ipynb",
    "REPORT.IPYNB",
    "report.ipynb/x",
    "a\\b",
    "a\x00b",
    "a\u202eb",
    "CON",
    "",
    " ",
    "link.txt",
    "folder-link/passwd",
    "to-notebook.txt",
    "to-hidden.txt",
    "x" * 2_000,
]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused(use, workspace, tmp_path_factory, path) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "passwd").write_text("root")
    (workspace / ".iaiflow").mkdir(exist_ok=True)
    (workspace / ".env").write_text("KEY=1")
    (workspace / "report.ipynb").write_text("{}")
    for name, target in {
        "link.txt": outside / "passwd",
        "folder-link": outside,
        "to-notebook.txt": workspace / "report.ipynb",
        "to-hidden.txt": workspace / ".env",
    }.items():
        (workspace / name).symlink_to(target)
    assert refused(use("files.read", path=path))
    assert refused(use("files.write", path=path, content="x"))
    assert refused(use("files.replace", path=path, old="root", new="x"))
    assert (outside / "passwd").read_text() == "root"
    assert (workspace / ".env").read_text() == "KEY=1"


@pytest.mark.parametrize("path", ["flow_nodes/mine.py", "Flow_Nodes/mine.py"])
def test_node_types_are_not_written(use, path) -> None:
    assert "would run" in refused(use("files.write", path=path, content="x"))


def test_a_state_folder_elsewhere_is_hidden_too(use, workspace, monkeypatch) -> None:
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "state"))
    (workspace / "state").mkdir()
    (workspace / "state/config.toml").write_text("")
    assert "not for agents" in refused(use("files.read", path="state/config.toml"))


@given(path=st.text(st.sampled_from("./\\~: aA.\u2024\u202e\x00x"), max_size=12))
def test_no_path_leads_outside(path, tmp_path_factory) -> None:
    from types import SimpleNamespace

    from iaiflow_agents.tools.files import _inside
    from iaiflow_lab.errors import LabError

    root = tmp_path_factory.getbasetemp() / "root"
    root.mkdir(exist_ok=True)
    context: Any = SimpleNamespace(workspace=root, memory=root / ".iaiflow/memory.duckdb")
    try:
        place = _inside(Reach(context), path)
    except LabError:
        return
    assert place.is_relative_to(root.resolve())
    assert not any(part.startswith(".") for part in place.relative_to(root.resolve()).parts)


def test_what_is_no_text_is_refused(use, workspace) -> None:
    (workspace / "a.bin").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(workspace / "pipe")
    (workspace / "folder").mkdir()
    assert "no UTF-8 text" in refused(use("files.read", path="a.bin"))
    assert refused(use("files.read", path="folder"))
    assert "There is no file" in refused(use("files.read", path="absent"))
    assert "no folder" in refused(use("files.list", folder="a.bin"))
    assert refused(use("files.write", path="folder", content=""))
    assert "no file" in refused(use("files.read", path="pipe"))


def test_long_files_are_read_in_parts(use, workspace) -> None:
    (workspace / "long.txt").write_text("ab" * MAX_SHOWN)
    first = said(use("files.read", path="long.txt"))
    assert first.startswith("[characters 0 to 50,000 of 100,000; read on with start=50000]\nabab")
    assert said(use("files.read", path="long.txt", start=99_999)).endswith("]\nb")
    (workspace / "huge.txt").write_text("x" * (MAX_BYTES + 1))
    assert "larger than" in refused(use("files.read", path="huge.txt"))
    assert refused(use("files.write", path="new.txt", content="é" * MAX_BYTES))
    assert not (workspace / "new.txt").exists()


@pytest.mark.parametrize(("old", "count"), [("absent", 0), ("a", 2), ("", 0)])
def test_a_text_is_replaced_only_where_it_is_there_once(use, workspace, old, count) -> None:
    (workspace / "a.txt").write_text("a a")
    assert f"{count} times" in refused(use("files.replace", path="a.txt", old=old, new="b"))
    assert (workspace / "a.txt").read_text() == "a a"
