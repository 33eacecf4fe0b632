"""What every test may ask for.

Tests are no packages (importlib mode), so nothing here can be imported: helpers are fixtures.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from iaiflow_lab.faults import POINTS
from iaiflow_lab.ids import Ids
from iaiflow_lab.world import World

#: No test uses the keys of who runs it, nor leaves one behind.
os.environ["IAIFLOW_SECRETS_KEY"] = base64.b64encode(b"k" * 32).decode()
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

SOAK = os.environ.get("IAIFLOW_SOAK", "0") not in {"", "0"}

settings.register_profile(
    "ci", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", parent=settings.get_profile("ci"), max_examples=2_000)
settings.load_profile("soak" if SOAK else "ci")


@pytest.fixture(scope="session")
def soak() -> Callable[[int, int], int]:
    """Return `soak(ci, full)`: how often to repeat, `full` times only under `make soak`.

    Tests that Hypothesis drives need it only for a count of their own; the number of examples
    follows by itself.
    """
    return lambda ci, full: full if SOAK else ci


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one and holds its own state."""
    monkeypatch.delenv("IAIFLOW_STATE_DIR", raising=False)
    monkeypatch.delenv("IAIFLOW_CRASH_AT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Return `command_line(...)`: `iaiflow` with these arguments, in this process."""
    from iaiflow_lab.cli import main

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["iaiflow", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as left:
            return Said(left.code or 0, *capsys.readouterr())
        return Said(0, *capsys.readouterr())

    return call


class ManualClock:
    """A clock that moves only when it is told to; sleeping moves it."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        self.wall = wall
        self.uptime = 1_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.uptime

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds


class Crash(BaseException):
    """The end of a simulated process, at a crash point."""


class SimulatedFaults:
    """Ends the simulated process when the crash point that was armed is reached."""

    def __init__(self) -> None:
        self.armed = ""

    def reach(self, point: str) -> None:
        assert point in POINTS
        if point == self.armed:
            self.armed = ""
            raise Crash(point)


class SimulatedWorld(NamedTuple):
    """A world that a test drives, from a seed."""

    world: World
    clock: ManualClock
    faults: SimulatedFaults
    rng: Random


@pytest.fixture(scope="session")
def simulate() -> Callable[[int], SimulatedWorld]:
    """Return `simulate(seed)`: a world whose time, chance and crashes the test decides."""

    def make(seed: int) -> SimulatedWorld:
        clock, rng, faults = ManualClock(), Random(seed), SimulatedFaults()
        world = World(clock=clock, ids=Ids(clock, rng), rng=rng, faults=faults)
        return SimulatedWorld(world, clock, faults, rng)

    return make


@pytest.fixture(scope="session")
def crash() -> type[BaseException]:
    """Return what a simulated process ends with at a crash point."""
    return Crash
