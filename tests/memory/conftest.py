"""Memories in folders of their own, whose owners end with the test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from memory_clock import Hand

from iaiflow_memory.engine import Engine
from iaiflow_memory.lock import announced, is_owned

#: How long a state is waited for, in seconds.
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def private_runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sockets and tokens of the test's owners are in a folder with a short name."""
    folder = Path(tempfile.mkdtemp(prefix="iai-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Return a function that waits until something is so."""
    return _until


def _until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


@pytest.fixture
def clock() -> Hand:
    """Return the clock of `engine`."""
    return Hand()


@pytest.fixture
def engine(tmp_path: Path, clock: Hand) -> Iterator[Engine]:
    """Return the engine of a new memory, in this process."""
    opened = Engine(tmp_path / "memory.duckdb", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Return the file of a memory; whoever owns it when the test ends is told to end."""
    path = tmp_path / "memory.duckdb"
    yield path
    for database in [path, *tmp_path.glob("*/*.duckdb")]:
        pid = announced(database)[0].pid
        if pid != os.getpid() and is_owned(database):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _until(lambda database=database: not is_owned(database))
