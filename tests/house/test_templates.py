"""What a new flow starts from in JupyterLab is valid and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from iaiflow_lab import Flow

FOLDER = Path(__file__).parents[2] / "extension" / "src" / "lab" / "templates"
TEMPLATES = sorted(FOLDER.glob("*.json"))


def copied(template: Path, folder: Path) -> Flow:
    path = folder / f"{template.stem}.flow.json"
    path.write_text(template.read_text())
    return Flow.load(path)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_is_valid(template: Path, tmp_path: Path):
    assert copied(template, tmp_path).validate() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chart", "map"])
def test_a_template_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    flow = copied(FOLDER / f"{name}.json", tmp_path)
    assert flow.run().state == "completed"
