"""The memory tool says what the one in Anthropic's SDK says, which keeps files on a disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from iaiflow_memory import Memory
from iaiflow_memory.anthropic import memory_tool

tools = pytest.importorskip("anthropic.tools.memory", reason="the extra `claude` is not installed")
lib = pytest.importorskip("anthropic.lib.tools")

NOTES, POEM = "/memories/notes.txt", "/memories/of/anna/poem.txt"
TEXT = "tea\nmilk\nrice\ntea\nsalt\noil"


def create(path: str, text: str) -> dict[str, Any]:
    return {"command": "create", "path": path, "file_text": text}


def view(path: str, *span: int) -> dict[str, Any]:
    return {"command": "view", "path": path} | ({"view_range": list(span)} if span else {})


def replace(path: str, old: str, new: str) -> dict[str, Any]:
    return {"command": "str_replace", "path": path, "old_str": old, "new_str": new}


def insert(path: str, line: int, text: str) -> dict[str, Any]:
    return {"command": "insert", "path": path, "insert_line": line, "insert_text": text}


def delete(path: str) -> dict[str, Any]:
    return {"command": "delete", "path": path}


def rename(old: str, new: str) -> dict[str, Any]:
    return {"command": "rename", "old_path": old, "new_path": new}


#: Done one after another.
COMMANDS = [
    create(NOTES, TEXT),
    create(NOTES, "again"),
    create(POEM, "one\ntwo\n"),
    *(view(NOTES), view(NOTES, 2, 3), view(NOTES, 5, -1), view(POEM)),
    *(view("/memories/none"), view("/etc/passwd"), view("/memories/../../etc/passwd")),
    *(replace(NOTES, "rice", "noodles"), replace(NOTES, "tea", "x"), replace(NOTES, "wine", "x")),
    *(replace("/memories/none", "a", "b"), replace("/memories/of", "a", "b")),
    *(replace(POEM, "one\ntwo", "three"), view(POEM)),
    *(insert(NOTES, 0, "first\n"), insert(NOTES, 7, "last"), view(NOTES)),
    *(insert(NOTES, 9, "x"), insert(NOTES, -1, "x")),
    *(insert("/memories/none", 0, "x"), insert("/memories/of", 0, "x")),
    *(rename(NOTES, POEM), rename("/memories/none", "/memories/more"), rename("/memories", NOTES)),
    *(rename(NOTES, "/memories/list.txt"), view(NOTES), view("/memories/list.txt")),
    *(rename("/memories/of", "/memories/by"), view("/memories/by/anna/poem.txt")),
    *(delete("/memories/none"), delete("/memories"), delete("/memories/by"), view("/memories/by")),
]


def said(tool: Any, command: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the model is told, and whether as an error."""
    try:
        return "told", tool.call(dict(command))
    except lib.ToolError as error:
        return "refused", str(error)


def test_every_command_is_answered_as_the_sdk_answers(place: Path, tmp_path: Path) -> None:
    theirs = tools.BetaLocalFilesystemMemoryTool(str(tmp_path / "disk"))
    with Memory(place, serve=True) as memory:
        ours = memory_tool(memory)
        for command in COMMANDS:
            assert said(ours, command) == said(theirs, command), command


def test_a_folder_is_listed_as_the_sdk_lists_it(place: Path, tmp_path: Path) -> None:
    theirs = tools.BetaLocalFilesystemMemoryTool(str(tmp_path / "disk"))
    with Memory(place, serve=True) as memory:
        ours = memory_tool(memory)
        for path in (NOTES, POEM, "/memories/of/deep/er/file.txt"):
            assert said(ours, create(path, TEXT)) == said(theirs, create(path, TEXT))
        for folder in ("/memories", "/memories/of"):
            (_, here), (_, there) = said(ours, view(folder)), said(theirs, view(folder))
            # a folder of a disk has a size of its own, and hides what begins with a dot
            assert _paths(here) == _paths(there)
            assert here.splitlines()[0] == there.splitlines()[0].replace(
                ", excluding hidden items", ""
            )


def _paths(shown: str) -> list[str]:
    return [line.partition("\t")[2] for line in shown.splitlines()[1:]]
