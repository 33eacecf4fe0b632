"""The choice above a canvas whose code was changed while edits were held."""

# pyright: reportUnknownMemberType=false, reportUntypedBaseClass=false
# pyright: reportMissingTypeStubs=false
# ipywidgets has no types of its own
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from iaiflow_lab.canvas.edits import Edits


class Offer(ipywidgets.HBox):
    """Offers the edits that the cell's code does not have: bring them back, or discard them.

    Args:
        edits: The edits of the flow.
        changed: Called when edits were brought back: the canvas shows another flow.
    """

    def __init__(self, edits: Edits, changed: Callable[[], None]) -> None:
        self._edits = edits
        self._changed = changed
        self._text = ipywidgets.Label()
        bring = ipywidgets.Button(
            description="Bring them back", tooltip="Show them in place of what the code builds now"
        )
        discard = ipywidgets.Button(description="Discard them", tooltip="Keep what the code builds")
        bring.on_click(self._bring_back)
        discard.on_click(self._discard)
        super().__init__([self._text, bring, discard])
        self._show()

    def _bring_back(self, _: Any) -> None:
        self._edits.bring_back()
        self._show()
        self._changed()

    def _discard(self, _: Any) -> None:
        self._edits.discard()
        self._show()

    def _show(self) -> None:
        count = self._edits.offered
        many = f" ({count} times)" if count > 1 else ""
        self._text.value = f"This code changed while the canvas held edits that it lacks{many}."
        self.layout.display = "" if count else "none"
