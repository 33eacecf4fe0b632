"""The canvas is tested against what Python reads and writes today."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_flow_vectors_are_fresh(root: Path):
    script = runpy.run_path(str(root / "tools/flow_vectors"))
    assert script["FILE"].read_text(encoding="utf-8") == script["text"](), "run tools/flow_vectors"
