"""Everything that a memory refuses or reports, as one tree.

MemoryFault
├── BadInput      what was given cannot be used
├── NotFound      no memory has this id, or not at that moment
├── Conflict      what was to be changed is no longer as it was read
├── Busy          another process holds the file
├── Unavailable   the file, folder or server cannot be reached or written
├── Damaged       the file is no memory, or its bytes are broken
├── WrongSchema   the file was made by a version that is newer than this one
└── Full          no room is left on the disk
"""

from __future__ import annotations


class MemoryFault(Exception):  # noqa: N818
    """A sentence for the user: what is wrong, where, and what to do.

    Args:
        what: What is wrong.
        where: The place (a file, field, id), or "" when `what` names it.
        remedy: What to do next, or "".
    """

    #: Stable identifier of this kind of fault.
    code = "memory-fault"

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        """Return `what - where - what to do`, leaving out what is empty."""
        return " - ".join(part for part in (self.what, self.where, self.remedy) if part)

    def _render_traceback_(self) -> list[str]:
        """Show itself in a notebook cell as one sentence: IPython asks for this."""
        return [f"{type(self).__name__}: {self}"]


class BadInput(MemoryFault):
    """What was given cannot be used."""

    code = "bad-input"


class NotFound(MemoryFault):
    """No memory has this id, or not at that moment."""

    code = "not-found"


class Conflict(MemoryFault):
    """What was to be changed is no longer as it was read."""

    code = "conflict"


class Busy(MemoryFault):
    """Another process holds the file."""

    code = "busy"


class Unavailable(MemoryFault):
    """The file, folder or server cannot be reached or written."""

    code = "unavailable"


class Damaged(MemoryFault):
    """The file is no memory, or its bytes are broken."""

    code = "damaged"


class WrongSchema(MemoryFault):
    """The file was made by a version that is newer than this one."""

    code = "wrong-schema"


class Full(MemoryFault):
    """No room is left on the disk."""

    code = "full"


#: Every kind of fault, by its code.
FAULTS: dict[str, type[MemoryFault]] = {
    kind.code: kind
    for kind in (
        *(MemoryFault, BadInput, NotFound, Conflict, Busy),
        *(Unavailable, Damaged, WrongSchema, Full),
    )
}
