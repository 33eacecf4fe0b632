"""What a kernel's canvases know of its cells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.events import EventManager, available_events

from iaiflow_lab.canvas import comm
from iaiflow_lab.canvas.presence import Cells


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> EventManager:
    """Return the events of a shell in which canvases are new."""
    manager = SimpleNamespace(register_target=lambda *_: None)
    shell: Any = SimpleNamespace(kernel=SimpleNamespace(comm_manager=manager))
    shell.events = EventManager(shell, available_events)
    monkeypatch.setattr(comm, "_shell", lambda: shell)
    monkeypatch.setattr(comm, "CELLS", Cells())
    return shell.events


def test_a_page_that_registers_keeps_no_cell_busy(events: EventManager) -> None:
    comm.register()
    assert not comm.CELLS.is_busy
    events.trigger("pre_execute")
    assert comm.CELLS.is_busy
    comm.register()
    events.trigger("post_execute")
    assert not comm.CELLS.is_busy


def test_the_cell_that_shows_a_canvas_is_busy_until_its_end(events: EventManager) -> None:
    comm.watch_cells(in_cell=True)
    assert comm.CELLS.is_busy
    events.trigger("post_execute")
    assert not comm.CELLS.is_busy
