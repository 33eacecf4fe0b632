"""Fixtures of the engine's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Lab


@pytest.fixture
def lab(workspace: Path) -> Lab:
    """Return an empty lab in a workspace of its own."""
    return Lab(workspace)
