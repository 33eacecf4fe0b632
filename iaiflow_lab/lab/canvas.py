"""A flow on a canvas in a cell's output: what it shows, where its edits go, its still picture."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from iaiflow_lab.canvas.bindings import label
from iaiflow_lab.canvas.cells import current_cell
from iaiflow_lab.canvas.comm import renew_all
from iaiflow_lab.canvas.edits import Edits
from iaiflow_lab.canvas.still import Still
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.canvas.widget import CanvasWidget
from iaiflow_lab.interactive import audience
from iaiflow_lab.lab import picture
from iaiflow_lab.model import flow as model

if TYPE_CHECKING:
    from iaiflow_lab.lab.flow import Flow

#: Canvases by the cell that shows them; executing the cell again takes the earlier ones away.
_shown: Final[dict[str, tuple[int, list[Shown]]]] = {}


class Shown:
    """One canvas in the output of a cell.

    Args:
        flow: What it shows.
        edits: Where the edits of a flow that a cell builds are held; None: it lives in its file.
        height: Height in pixels.
    """

    def __init__(self, flow: Flow, edits: Edits | None, height: int) -> None:
        self._flow = flow
        self._edits = edits
        self._subject = self._make_subject()
        definition = self._subject.read()
        path = label(definition, self._subject.file) if self._subject.file else ""
        self._widget = CanvasWidget(self._subject, name=flow.name, path=path, height=height)
        self._still = Still(self._widget, definition, picture.bundle)
        file = self._subject.file
        #: What names the runs that the picture follows.
        self._keys = (flow,) if file is None else (flow, file.resolve())
        for key in self._keys:
            audience.join(key, self._still)
        _remember(self)

    def display(self) -> None:
        """Show it as an output of the cell that is being executed."""
        if self._edits is not None and self._edits.offered:
            self._offer(self._edits)
        self._still.display()

    @property
    def widget(self) -> CanvasWidget:
        """The canvas alone, for pages that show widgets and keep no picture."""
        return self._widget

    def close(self) -> None:
        """Take it off the page."""
        for key in self._keys:
            audience.leave(key, self._still)
        self._widget.close()

    def _make_subject(self) -> Subject:
        flow, edits = self._flow, self._edits
        if edits is None:
            return Subject(
                mode="file", read=flow.build, file=flow.path, owner=flow, adopt=self._adopt
            )
        return Subject(
            mode="code",
            read=edits.read,
            owner=flow,
            adopt=self._adopt,
            patch=edits.patch,
            is_ahead=edits.is_held,
            is_kept=edits.is_kept,
        )

    def _adopt(self, edited: model.Flow) -> None:
        if self._edits is None:
            self._flow.adopt(edited)
        else:
            self._edits.adopt(edited)
        self._still.edited(edited)

    def _offer(self, edits: Edits) -> None:
        """Show what can be done with edits that were made before the cell's code changed."""
        from iaiflow_lab.canvas.offer import Offer

        def brought_back() -> None:
            self._still.edited(edits.read())
            renew_all()

        import_module("IPython.display").display(Offer(edits, brought_back))


def _remember(shown: Shown) -> None:
    """Take away what an earlier execution of the same cell shows."""
    cell = current_cell()
    if cell is None or not cell.id:
        return
    number, present = _shown.get(cell.id, (cell.number, []))
    if number != cell.number:
        for earlier in present:
            earlier.close()
        present = []
    _shown[cell.id] = (cell.number, [*present, shown])
