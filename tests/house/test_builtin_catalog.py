"""The node types that canvases without a kernel offer are those of the built-in pack."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]


def test_the_canvas_knows_the_built_in_node_types_as_they_are(tmp_path: Path) -> None:
    made = tmp_path / "builtin.json"

    subprocess.run([sys.executable, HOME / "tools/builtin_catalog", made], check=True)

    kept = HOME / "extension/src/core/builtin.json"
    remedy = "write it anew with tools/builtin_catalog"
    assert kept.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), remedy
