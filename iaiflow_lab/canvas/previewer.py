"""Makes the short forms of outputs beside everything else: drawing a chart takes a while."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from time import sleep
from typing import Any, Final, Protocol

from iaiflow_lab.canvas.previews import previews

#: Values by port, each with its type.
Values = Mapping[str, tuple[Any, str]]

#: How long wishes are gathered, in seconds.
_PAUSE: Final = 0.02


class Shower(Protocol):
    """What shows previews on lines."""

    def previewable(self, path: str) -> Values:
        """Return the values to show at a path."""
        ...

    def show(self, path: str, values: Values, previews: dict[str, Any]) -> None:
        """Show the short forms of values, if they are still those to show."""
        ...


class Previewer:
    """One thread that previews what is wanted; of many wishes for one line the last counts."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: dict[tuple[int, str], Shower] = {}
        self._thread: threading.Thread | None = None

    def want(self, shower: Shower, path: str) -> None:
        """Have the outputs at a path previewed soon."""
        with self._changed:
            if (id(shower), path) in self._wanted:
                return
            self._wanted[id(shower), path] = shower
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="iaiflow-previews", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._wanted))
            sleep(_PAUSE)
            with self._changed:
                wanted, self._wanted = self._wanted, {}
            while wanted:  # a value lives no longer than its flow
                (_, path), shower = wanted.popitem()
                _show(shower, path)
                del shower


def _show(shower: Shower, path: str) -> None:
    try:
        values = shower.previewable(path)
        shower.show(path, values, previews(values))
    except Exception as error:  # the other values are shown
        sys.stderr.write(f"The canvas can't show {path}: {type(error).__name__}: {error}\n")


#: The one of this kernel.
PREVIEWER: Final = Previewer()
