"""The project stands alone: no trace of one machine in its files, nothing heavy at import."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

MACHINE_PATH = re.compile(r"(?<![\w.:/~}-])/(?:root|Users|work|home)/\w")
INDEX_HOST = re.compile(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b")
HEAVY = ("sqlalchemy", "papermill", "langgraph", "duckdb", "polars", "apscheduler")
ALSO_UNWANTED = ("pydantic", "typer", "rich", "altair", "IPython", "httpx")


def test_no_file_names_a_machine_or_an_index(root: Path, project_files: list[Path]):
    found = [
        f"{file}:{number}: {line.strip()}"
        for file in project_files
        for number, line in enumerate(text_of(root / file).splitlines(), start=1)
        if MACHINE_PATH.search(line) or INDEX_HOST.search(line)
    ]
    assert found == []


def text_of(path: Path) -> str:
    """Return a text file's content, or nothing for bytes that are no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_importing_the_workbench_is_light():
    code = "import sys, iaiflow_lab; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY + ALSO_UNWANTED)
