"""New node types as files of the workspace."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import ConflictError, InputError
from iaiflow_lab.sdk.node_files import FOLDER

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,3}")

_NODE: Final = '''\
"""The node type `{name}`."""

from __future__ import annotations

from iaiflow_lab import node


@node("{name}", category="{category}")
def {function}(text: str, *, times: int = 1) -> str:
    """Say what this node does in one line: it is the palette's help.

    Args:
        text: An input port; what flows in.
        times: A field of the form; keyword-only parameters are configuration.
    """
    return text * times
'''

_TEST: Final = '''\
"""Run with `pytest {folder}`."""

from pathlib import Path

from iaiflow_lab.sdk.catalog import load_catalog


def test_{function}() -> None:
    {function} = load_catalog(Path(__file__).parents[1]).require("{name}")
    assert {function}("ab", times=2) == "abab"
'''


def new_node(workspace: Path, name: str) -> list[Path]:
    """Write a node type and its test into `flow_nodes`; return the files.

    Args:
        workspace: The folder that holds `flow_nodes`.
        name: The name in flow files, such as `text.shout`.

    Raises:
        InputError: The name can't name a node type.
        ConflictError: There is such a file already.
    """
    check_name(name)
    family, _, _ = name.rpartition(".")
    values = {
        "name": name,
        "function": function_name(name),
        "category": family.partition(".")[0].capitalize() or "Custom",
        "folder": FOLDER,
    }
    folder = workspace / FOLDER
    file = folder / f"{file_stem(name)}.py"
    return write_new(
        {
            file: _NODE.format(**values),
            folder / f"test_{file.name}": _TEST.format(**values),
        }
    )


def check_name(name: str) -> None:
    """Refuse a name that can't name a node type of the workspace.

    Raises:
        InputError: It has another form, or is one for notebook cells.
    """
    parts = name.split(".")
    if not _NAME.fullmatch(name) or parts[0] == "cell" or any(map(keyword.iskeyword, parts)):
        raise InputError(
            f"{name[:80]!r} can't name a node type.",
            remedy="Use lower-case words joined by dots, such as text.shout; `cell` is taken.",
            code="name-invalid",
        )


def file_stem(name: str) -> str:
    """Return the name of a node type's file, without its ending."""
    return name.replace(".", "_")


def function_name(name: str) -> str:
    """Return the name of a node type's function."""
    return name.rpartition(".")[2]


def write_new(files: dict[Path, str]) -> list[Path]:
    """Write files that must not exist yet: all of them or none.

    Raises:
        ConflictError: One exists.
        InputError: The folder can't be written.
    """
    for file in files:
        if file.exists():
            raise ConflictError(
                f"{file.name} exists already.",
                where=str(file),
                remedy="Choose another name, or remove the file.",
                code="file-exists",
            )
    written: list[Path] = []
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as stream:
                written.append(file)
                stream.write(text)
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise InputError(
            f"The file can't be written: {error.strerror}.",
            where=str(error.filename or FOLDER),
            remedy="Make the folder writable.",
            code="file-unwritable",
        ) from error
    return written
