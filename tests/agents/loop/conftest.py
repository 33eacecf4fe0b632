"""What tests of agents' loops may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_runs import Toolbox, agent_lab
from harness import Lab

from iaiflow_agents.tools.functions import CELL_TOOLS


@pytest.fixture
def lab(workspace: Path) -> Lab:
    """Return a lab that has the agents' node types."""
    return agent_lab(workspace)


@pytest.fixture
def toolbox() -> Iterator[Toolbox]:
    """Return tools that note how they were called."""
    before = dict(CELL_TOOLS)
    yield Toolbox()
    CELL_TOOLS.clear()
    CELL_TOOLS.update(before)
