from __future__ import annotations

from pathlib import Path

import pytest

from iaiflow_lab.errors import InputError, LabError, NodeError, NotFoundError


@pytest.mark.parametrize(
    ("content", "kind"), [("größe", "text"), (b"\x00\x01", "bytes"), ({"a": [1]}, "json")]
)
def test_what_is_written_is_read_again(call, content, kind) -> None:
    path = call("file.write", {"content": content}, path="out/a b.txt")["out"]
    assert path == "out/a b.txt"
    assert call("file.read", path=path, format=kind)["out"] == content


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(call, workspace: Path) -> None:
    for text in ("first", "second"):
        call("file.write", {"content": text}, path="out/a.txt")
    assert (workspace / "out/a.txt").read_text() == "second"
    assert [file.name for file in (workspace / "out").iterdir()] == ["a.txt"]


def test_a_name_can_come_from_parameters_but_not_lead_outside(call, workspace: Path) -> None:
    call("file.write", {"content": "x"}, {"month": "05"}, path="m{{params.month}}.txt")
    assert (workspace / "m05.txt").exists()
    with pytest.raises(InputError, match="can't be used"):
        call("file.write", {"content": "x"}, {"month": "../../evil"}, path="m/{{params.month}}")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", ".iaiflow/lab.db", ".git/config", "flow_nodes/a.py"],
)
def test_nothing_outside_the_flows_own_files_is_written(call, path: str) -> None:
    with pytest.raises(InputError):
        call("file.write", {"content": "x"}, path=path)


def test_a_link_that_leads_outside_is_not_read(call, workspace: Path) -> None:
    (workspace / "link").symlink_to("/etc/hosts")
    with pytest.raises(InputError, match="outside"):
        call("file.read", path="link")


def test_missing_files_folders_and_wrong_text_are_explained(call, workspace: Path) -> None:
    (workspace / "folder").mkdir()
    (workspace / "latin.txt").write_bytes(b"caf\xe9")
    (workspace / "bad.json").write_text('{"a": 1, "a": 2}')
    with pytest.raises(NotFoundError, match=r"nothing\.txt"):
        call("file.read", path="nothing.txt")
    with pytest.raises(InputError, match="is no file"):
        call("file.read", path="folder")
    with pytest.raises(InputError, match="is a folder"):
        call("file.write", {"content": "x"}, path="folder")
    with pytest.raises(NodeError, match="not utf-8 text"):
        call("file.read", path="latin.txt")
    assert call("file.read", path="latin.txt", encoding="latin-1")["out"] == "café"
    with pytest.raises(NodeError, match="not nonsense text"):
        call("file.read", path="latin.txt", encoding="nonsense")
    with pytest.raises(InputError, match="appears twice"):
        call("file.read", path="bad.json", format="json")


@pytest.mark.parametrize("content", [object(), float("nan"), {1, 2}])
def test_what_has_no_written_form_is_refused(call, content, workspace: Path) -> None:
    with pytest.raises(NodeError, match="can't be written"):
        call("file.write", {"content": content}, path="a.txt")
    assert list(workspace.iterdir()) == []


def test_a_file_is_read_again_only_when_it_has_changed(lab, workspace: Path) -> None:
    from harness import MemoryCache, MemoryJournal, flow

    from iaiflow_lab.model.flow import Node

    cache = MemoryCache()
    (workspace / "a.txt").write_text("one")
    made = flow({"n": Node("file.read", {"path": "a.txt"})})

    def source() -> str:
        lab.journal = MemoryJournal()
        lab.run(made, cache=cache)
        return lab.sources()["n"]

    assert [source(), source()] == ["executed", "cache"]
    (workspace / "a.txt").write_text("changed")
    assert source() == "executed"


def test_a_path_that_is_refused_fails_the_step_and_not_the_engine(lab) -> None:
    from harness import flow

    from iaiflow_lab.model.flow import Node

    result = lab.run(flow({"n": Node("file.read", {"path": "../x"})}))
    assert str(result.state) == "failed"
    assert isinstance(result.exception, LabError)
