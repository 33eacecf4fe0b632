"""What every test may ask for.

Tests are no packages (importlib mode), so nothing here can be imported: helpers are fixtures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
