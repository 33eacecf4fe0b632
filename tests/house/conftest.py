"""The checkout as the tests of this folder see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUITABLE = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def project_files(root: Path) -> list[Path]:
    """Return the files that belong to the project, relative to its top folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    return [Path(name) for name in listing.split("\0") if name and (root / name).is_file()]


@pytest.fixture
def checkout(root: Path, project_files: list[Path], tmp_path: Path) -> Path:
    """Return a copy of the project's files and nothing else, in a path with spaces."""
    copy = tmp_path / "a fresh checkout"
    for file in project_files:
        target = copy / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, target)
    return copy


@pytest.fixture
def outside(tmp_path: Path) -> dict[str, str]:
    """Return an environment that tells a program nothing about this checkout or its caller."""
    hidden = ("MAKE", "MFLAGS", "IAIFLOW_", "ANTHROPIC_", "PYTEST_", "VIRTUAL_ENV", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    where = [sys.executable, "-m", "pip", "cache", "dir"]
    found = subprocess.run(where, capture_output=True, check=False, text=True)
    if found.returncode == 0:  # another home has no cache, and the network is slow
        env["PIP_CACHE_DIR"] = found.stdout.strip()
    env["PIP_COMPILE"] = "0"  # most modules are never imported
    env["PATH"] = _path_without_environment()
    return env


@pytest.fixture
def without_node(outside: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return an environment where node and npm fail, so that using either of them is noticed."""
    return outside | {"PATH": os.pathsep.join([str(_tripwires(tmp_path)), outside["PATH"]])}


def _path_without_environment() -> str:
    """Return PATH without the folder of the interpreter that runs the tests."""
    own = Path(sys.prefix) / "bin"
    return os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != own)


def _tripwires(folder: Path) -> Path:
    """Return a folder with a node and an npm that fail."""
    tripwires = folder / "tripwires"
    tripwires.mkdir()
    for name in ("node", "npm"):
        program = tripwires / name
        program.write_text("#!/bin/sh\necho 'no node here' >&2\nexit 1\n")
        program.chmod(0o755)
    return tripwires


@pytest.fixture(scope="session")
def python() -> str:
    """Return an interpreter to make environments with: $PYTHON, python3.12, or this one."""
    for name in (os.environ.get("PYTHON", ""), "python3.12"):
        path = shutil.which(name) if name else None
        if path and subprocess.run([path, "-c", SUITABLE], check=False).returncode == 0:
            return path
    return sys.executable
