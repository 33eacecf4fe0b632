"""Edits of a flow that is built by a cell: held, and kept on a shelf, until its code has them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from iaiflow_lab.canvas import patches
from iaiflow_lab.canvas.cells import Cell
from iaiflow_lab.canvas.shelf import Held, Kept, Key, Shelf
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.signature import Signatures

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
        shelf: Where edits outlive this process; None: they end with it.
    """

    def __init__(
        self,
        cell: Cell | None,
        build: Callable[[], Flow],
        signatures: Signatures,
        shelf: Shelf | None = None,
    ) -> None:
        self._source = cell.source if cell is not None else ""
        self._build = build
        self._signatures = signatures
        self._key = (cell.id if cell is not None else "", build().name)
        self._shelf = shelf if self._key[0] else None
        self._take_from_shelf()
        self._meet()

    def _take_from_shelf(self) -> None:
        """Take up what an earlier kernel held."""
        with _lock:
            if self._shelf is not None and self._key not in _offered:
                kept = self._shelf.load(self._key)
                _offered[self._key] = list(kept.offered)
                if kept.held is not None:
                    _held[self._key] = kept.held

    def _keep(self) -> None:
        """Put on the shelf what is held now; the lock is held."""
        if self._shelf is not None:
            kept = Kept(_held.get(self._key), _offered.get(self._key, ()))
            self._shelf.store(self._key, kept)

    def _meet(self) -> None:
        """Compare what the cell builds now with what is held."""
        built = self._build()
        with _lock:
            held, before = _held.get(self._key), _offered.get(self._key, [])
            is_outdated = held is not None and not same(held.base, built)
            waiting = [*before, _held.pop(self._key)] if is_outdated else before
            left = [one for one in waiting if not same(one.edited, built)]
            _offered[self._key] = left
            if is_outdated or len(left) < len(before):
                with suppress(InputError):  # said when an edit was made; the flow is shown
                    self._keep()

    def read(self) -> Flow:
        """Return the flow with the edits that the cell's code does not have."""
        with _lock:
            held = _held.get(self._key)
        return self._build() if held is None else held.edited

    def adopt(self, edited: Flow) -> None:
        """Hold an edited flow; one that the cell builds as it is needs no holding.

        Raises:
            InputError: It is held here, but the shelf cannot be written.
        """
        base = self._build()
        with _lock:
            if same(base, edited):
                _held.pop(self._key, None)
            else:
                _held[self._key] = Held(base, edited)
            self._keep()

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
    def is_kept(self) -> bool:
        """Whether they outlive this process: cell and notebook are known."""
        return self._shelf is not None

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
            self._keep()

    def discard(self) -> None:
        """Forget the newest edits that are offered."""
        with _lock:
            if waiting := _offered.get(self._key):
                waiting.pop()
                self._keep()


def same(one: Flow, other: Flow) -> bool:
    """Say whether two flows are the same in every detail, positions included."""
    return one == other or to_data(one) == to_data(other)
