"""What a canvas shows: a flow, where it is kept, and who else holds it in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iaiflow_lab.model.flow import Flow

#: `file`: edits are saved to it. `code`: edits are offered as a patch. `document`: the host saves.
Mode = Literal["file", "code", "document"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One flow that is shown on canvases."""

    mode: Mode
    #: Returns the definition as this process holds it now. In mode `file` the file is asked.
    read: Callable[[], Flow]
    #: Where it is kept; None: nowhere.
    file: Path | None = None
    #: The object whose runs in cells are shown on the canvas too; None: only runs of the file.
    owner: object | None = None
    #: Told of every edit that was taken on a canvas; None: nobody else holds the flow.
    adopt: Callable[[Flow], None] | None = None
    #: In mode `code`: for an edited flow, its code and the source of the cell that builds it.
    patch: Callable[[Flow], tuple[str, str]] | None = None
    #: In mode `code`: says whether there are edits that the cell's code does not have.
    is_ahead: Callable[[], bool] | None = None
    #: In mode `code`: whether such edits outlive this process.
    is_kept: bool = True

    @property
    def key(self) -> object:
        """What tells this flow from others in this process: its file, else its owner."""
        return self.file.resolve() if self.file is not None else self.owner
