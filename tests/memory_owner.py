"""The process that owns the memory of a test's workspace: apart from others, and ended in time."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from iaiflow_lab.settings import memory_file
from iaiflow_memory.lock import announced, is_owned

#: How long an owner may take to end, in seconds.
PATIENCE = 60.0


@pytest.fixture
def own_memory(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file of the workspace's memory; who owns it ends with the test."""
    sockets = tempfile.mkdtemp(prefix="iai-")  # a short name, which every system takes
    monkeypatch.setenv("XDG_RUNTIME_DIR", sockets)
    file = memory_file(workspace)
    yield file
    end_owner(file)
    shutil.rmtree(sockets, ignore_errors=True)


def end_owner(file: Path) -> None:
    """Kill the process that owns a memory, if there is one, and wait until it is gone."""
    deadline = time.monotonic() + PATIENCE
    while is_owned(file):
        assert time.monotonic() < deadline, "the owner did not end"
        if pid := announced(file)[0].pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
