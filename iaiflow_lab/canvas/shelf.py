"""Edits that no cell's code has, in the state folder: they outlive the kernel."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import file
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.settings import make_state_dir, state_dir, unwritable

#: A cell's id, and the name of a flow that it builds.
Key = tuple[str, str]

_FOLDER: Final = "edits"


@dataclass(frozen=True, slots=True)
class Held:
    """What a canvas made of a flow that a cell built."""

    #: As the cell built it.
    base: Flow
    edited: Flow


@dataclass(frozen=True, slots=True)
class Kept:
    """The edits of one flow."""

    #: Those that the canvas shows.
    held: Held | None = None
    #: Those that were made before the code changed, oldest first.
    offered: Sequence[Held] = ()


class Shelf:
    """The place in a workspace where the edits of one notebook wait for their cells.

    Args:
        workspace: The folder that holds the state folder.
        notebook: The notebook's file, as a copy of it has the same cell ids; else its folder.
    """

    def __init__(self, workspace: Path, notebook: Path) -> None:
        self._workspace = workspace
        self._notebook = os.path.relpath(notebook, workspace)

    def load(self, key: Key) -> Kept:
        """Return what waits for a cell and flow; what cannot be read is nothing."""
        try:
            found = json.loads(self._place(state_dir(self._workspace), key).read_bytes())
            held = found["held"]
            return Kept(
                None if held is None else _read(held),
                tuple(_read(one) for one in found["offered"]),
            )
        except (OSError, ValueError, LookupError, TypeError, FlowError):
            return Kept()

    def store(self, key: Key, kept: Kept) -> None:
        """Write what waits for a cell and flow; nothing leaves no file.

        Raises:
            InputError: The state folder cannot be written.
        """
        place = self._place(state_dir(self._workspace), key)
        if kept.held is None and not kept.offered:
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)
            return
        place = self._place(make_state_dir(self._workspace), key)
        content = {
            "held": None if kept.held is None else _written(kept.held),
            "offered": [_written(one) for one in kept.offered],
        }
        temporary = place.with_suffix(f".{os.getpid()}")
        try:
            place.parent.mkdir(exist_ok=True)
            temporary.write_text(json.dumps(content), encoding="utf-8")
            temporary.replace(place)
        except OSError as error:
            raise unwritable(place.parent, error) from error

    def _place(self, folder: Path, key: Key) -> Path:
        parts = json.dumps([self._notebook, *key])
        name = hashlib.sha256(parts.encode()).hexdigest()[:32]
        return folder / _FOLDER / f"{name}.json"


def _written(held: Held) -> dict[str, str]:
    return {"base": file.dump(held.base), "edited": file.dump(held.edited)}


def _read(held: Any) -> Held:
    texts = cast("Mapping[str, str]", held)
    return Held(file.parse(texts["base"]), file.parse(texts["edited"]))
