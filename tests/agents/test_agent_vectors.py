"""The canvas's test data about agents is what Python says today."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_agent_vectors_are_fresh() -> None:
    script = runpy.run_path(str(ROOT / "tools/agent_vectors"))
    file: Path = script["FILE"]
    assert file.read_text(encoding="utf-8") == script["text"](), "run tools/agent_vectors"
