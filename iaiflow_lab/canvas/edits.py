"""Edits of a flow that is built by a cell: held until the cell's code has them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from iaiflow_lab.canvas import patches
from iaiflow_lab.canvas.cells import Cell
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.signature import Signatures

#: A cell's id, and the name of a flow that it builds.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """What a canvas made of a flow that a cell built."""

    #: As the cell built it.
    base: Flow
    edited: Flow


_lock = threading.Lock()
#: Edits that no cell's code has, by the cell and flow that they belong to.
_held: Final[dict[Key, Held]] = {}
#: Edits of a flow whose code was changed meanwhile, oldest first: a person decides.
_offered: Final[dict[Key, list[Held]]] = {}


class Edits:
    """The edits of one flow that a cell built.

    Args:
        cell: The cell that builds the flow; None: it is not known.
        build: Returns the flow as the cell built it.
        signatures: Tells which configuration fields hold nested flows.
    """

    def __init__(
        self, cell: Cell | None, build: Callable[[], Flow], signatures: Signatures
    ) -> None:
        self._source = cell.source if cell is not None else ""
        self._build = build
        self._signatures = signatures
        self._key = (cell.id if cell is not None else "", build().name)
        self._meet()

    def _meet(self) -> None:
        """Compare what the cell builds now with what is held."""
        built = self._build()
        with _lock:
            held = _held.get(self._key)
            if held is not None and not same(held.base, built):
                del _held[self._key]
                if not same(held.edited, built):
                    _offered.setdefault(self._key, []).append(held)
            waiting = [one for one in _offered.get(self._key, ()) if not same(one.edited, built)]
            _offered[self._key] = waiting

    def read(self) -> Flow:
        """Return the flow with the edits that the cell's code does not have."""
        with _lock:
            held = _held.get(self._key)
        return self._build() if held is None else held.edited

    def adopt(self, edited: Flow) -> None:
        """Hold an edited flow; one that the cell builds as it is needs no holding."""
        base = self._build()
        with _lock:
            if same(base, edited):
                _held.pop(self._key, None)
            else:
                _held[self._key] = Held(base, edited)

    def patch(self, edited: Flow) -> tuple[str, str]:
        """Return the cell's code with the edits, and the cell's present code.

        The second is "" when the cell does not show where it builds the flow: then the code
        stands by itself.
        """
        return patches.patch(self._source, self._build(), edited, self._signatures)

    def is_held(self) -> bool:
        """Say whether there are edits that the cell's code does not have."""
        with _lock:
            return self._key in _held

    @property
    def offered(self) -> int:
        """How many sets of edits were made to code that has changed since."""
        with _lock:
            return len(_offered.get(self._key, ()))

    def bring_back(self) -> None:
        """Take the newest edits that are offered; those that are held now are offered instead."""
        with _lock:
            waiting = _offered.get(self._key)
            if not waiting:
                return
            present, back = _held.get(self._key), waiting.pop()
            if present is not None and not same(present.edited, back.edited):
                waiting.append(present)
            _held[self._key] = Held(self._build(), back.edited)

    def discard(self) -> None:
        """Forget the newest edits that are offered."""
        with _lock:
            if waiting := _offered.get(self._key):
                waiting.pop()


def same(one: Flow, other: Flow) -> bool:
    """Say whether two flows are the same in every detail, positions included."""
    return one == other or to_data(one) == to_data(other)
