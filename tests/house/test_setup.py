"""The Makefile: setting up from nothing, where the folder has spaces and the home is no help."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def make(folder: Path, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_a_fresh_checkout_runs_the_demo_and_sets_up_once(
    checkout: Path, without_node: dict[str, str]
):
    # Nobody, not even root, can make a folder below this home.
    env = without_node | {"HOME": "/proc/nobody"}
    first = make(checkout, "demo", env=env)
    assert first.returncode == 0, first.stdout + first.stderr
    ready = (checkout / ".venv" / "ready").stat().st_mtime_ns
    again = make(checkout, ".venv/ready", env=env)
    assert "up to date" in again.stdout
    assert (checkout / ".venv" / "ready").stat().st_mtime_ns == ready


def test_an_unsuitable_python_is_refused_in_a_sentence(
    root: Path, tmp_path: Path, outside: dict[str, str]
):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(root / name, tmp_path)
    refused = make(tmp_path, "demo", "PYTHON=no-such-python", env=outside)
    assert refused.returncode != 0
    assert "needs Python 3.11 or newer" in refused.stderr
    assert "make PYTHON=" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_alone_prints_every_target(root: Path, outside: dict[str, str]):
    help_text = make(root, env=outside).stdout
    for target in ("demo", "lab", "test", "check", "bench", "soak", "build", "clean"):
        assert re.search(rf"^  make {target} +\w", help_text, re.MULTILINE), target


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md"])
def test_every_make_command_in_the_pages_exists(root: Path, page: str):
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    text = (root / page).read_text()
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z]+)", text, re.MULTILINE))
    assert named <= targets, f"{page} names {sorted(named - targets)}"
