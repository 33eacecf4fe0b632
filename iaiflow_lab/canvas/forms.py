"""A form for a flow's parameters: controls, a button that runs the flow, and what it returned."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownLambdaType=false
# ipywidgets has no types of its own
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import ipywidgets

from iaiflow_lab.canvas import views
from iaiflow_lab.canvas.controls import Control, control
from iaiflow_lab.canvas.pictures import bundle
from iaiflow_lab.errors import LabError, NotFoundError
from iaiflow_lab.model import parameters
from iaiflow_lab.sdk import values

#: Most characters of one text, and rows of one table, that the form shows.
_TEXT: Final = 20_000
_ROWS: Final = 20

Specs = Mapping[str, Mapping[str, Any]]


class Watch(Protocol):
    """Watches one run from where it was started."""

    def see(self, share: float, text: str) -> None:
        """Take how far it is, from 0 to 1, and what is happening; any thread may call it."""
        ...

    def stop_asked(self) -> bool:
        """Say, once for each time, whether a person asked it to stop."""
        ...


class Ran(Protocol):
    """A run that has ended."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the flow returned, by name."""
        ...


class Form(ipywidgets.VBox):
    """Controls for a flow's parameters. `inputs` and `value` are what was set and returned.

    Args:
        name: The flow's name.
        specs: JSON Schema of each parameter, by name.
        start: Runs the flow with these inputs and returns when it has ended; called in a thread.
    """

    def __init__(self, name: str, specs: Specs, start: Callable[[Any, Watch], Ran]) -> None:
        self._specs = specs
        self._start = start
        self._stops = threading.Semaphore(0)
        self._run: Ran | None = None
        self._ended = threading.Event()
        self._ended.set()
        found = {name: control(name, spec) for name, spec in specs.items()}
        self.controls: dict[str, Control] = {n: c for n, c in found.items() if c is not None}
        needed = [n for n, c in found.items() if c is None and parameters.is_required(specs[n])]
        self._button = ipywidgets.Button(
            description="Run", icon="play", button_style="primary", disabled=bool(needed)
        )
        self._stop = ipywidgets.Button(description="Stop", icon="stop", disabled=True)
        self._bar = ipywidgets.FloatProgress(min=0.0, max=1.0)
        self._bar.layout.visibility = "hidden"
        self._note = ipywidgets.Label()
        self._shown = ipywidgets.VBox()
        self._button.on_click(lambda _: self.submit())
        self._stop.on_click(lambda _: self._stops.release())
        if needed:
            listed = ", ".join(needed)
            self._note.value = f"Only code can give {listed}: flow.run({needed[0]}=...)."
        row = ipywidgets.HBox([self._button, self._stop, self._bar, self._note])
        title = [ipywidgets.Label(name, style={"font_weight": "bold"})] if name else []
        rows = [one.widget for one in self.controls.values()]
        super().__init__([*title, *rows, row, self._shown])

    @property
    def inputs(self) -> dict[str, Any]:
        """The parameters' values as they are set.

        Raises:
            InputError: What was typed can't be read.
        """
        return {name: one.value() for name, one in self.controls.items()}

    @property
    def run(self) -> Ran:
        """The latest run.

        Raises:
            NotFoundError: None was completed.
        """
        if self._run is None:
            raise NotFoundError("No run of this form has completed.", remedy="Press Run.")
        return self._run

    @property
    def value(self) -> Any:
        """What the latest run returned: the value itself, or several by name.

        Raises:
            NotFoundError: No run was completed.
        """
        outputs = self.run.outputs
        return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)

    def submit(self) -> None:
        """Run the flow with the values as they are set; what is wrong is said in the form."""
        if not self._ended.is_set():
            return
        try:
            inputs = self.inputs
            parameters.bind(self._specs, inputs)
        except LabError as refusal:
            self._note.value = str(refusal)
            return
        self._ended.clear()
        self._switch(runs=True)
        threading.Thread(target=self._go, args=(inputs,), name="iaiflow-form", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of the run that goes on, and say whether it has ended.

        Args:
            seconds: The longest wait; None: as long as it takes.
        """
        return self._ended.wait(seconds)

    def see(self, share: float, text: str) -> None:
        """Show how far the run is."""
        self._bar.value = share
        self._note.value = text

    def stop_asked(self) -> bool:
        """Say, once for each press of the button, whether the run shall stop."""
        return self._stops.acquire(blocking=False)

    def _go(self, inputs: Mapping[str, Any]) -> None:
        try:
            self._run = self._start(inputs, self)
            self._shown.children = [
                part for name, value in self._run.outputs.items() for part in _parts(name, value)
            ]
            self._note.value = "Completed."
        except LabError as refusal:
            self._note.value = str(refusal)
        except Exception as error:
            self._note.value = f"{type(error).__name__}: {error}"
        finally:
            while self.stop_asked():
                pass
            self._switch(runs=False)
            self._ended.set()

    def _switch(self, *, runs: bool) -> None:
        self._button.disabled, self._stop.disabled = runs, not runs
        self._bar.layout.visibility = "visible" if runs else "hidden"
        self._bar.value = 0.0


def _parts(name: str, value: Any) -> list[Any]:
    """Return the widgets that show one output: a widget itself, live."""
    title = ipywidgets.Label(name)
    if isinstance(value, ipywidgets.Widget):
        return [title, value]
    shown = ipywidgets.Output()
    data = _data(value)
    shown.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
    return [title, shown]


def _data(value: Any) -> dict[str, Any]:
    """Return a value as a MIME bundle of bounded size."""
    if values.is_table(value):
        text = _table_text(value)
        return {"text/plain": text}
    found, buffers = views.view(value, limit=_TEXT)
    match found["kind"]:
        case "image":
            return bundle(found["media_type"], buffers[0])
        case "bundle":
            return found["bundle"]["data"]
        case _:
            return {"text/plain": found["text"][:_TEXT]}


def _table_text(value: Any) -> str:
    from iaiflow_lab.canvas import frames

    frame = None if frames.is_lazy(value) else frames.rows(value, 0, _ROWS)
    if frame is None:
        columns = ", ".join(column["name"] for column in frames.columns(value))
        return f"lazy table: {columns}"
    return f"{frame}\n{frames.total(value):,} rows"
