"""What repo2docker does with binder/, step by step, up to a run of the demo notebook."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_binder_runs_the_demo_notebook(checkout: Path, outside: dict[str, str], python: str):
    env = outside | {"HOME": str(checkout)}
    venv = checkout.parent / "binder environment"
    env["PATH"] = f"{venv / 'bin'}:{env['PATH']}"

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=checkout, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def start(*command: str) -> subprocess.CompletedProcess[str]:
        return run("binder/start", *command)

    run(python, "-m", "venv", str(venv))
    run("python", "-m", "pip", "install", "--quiet", "-r", "binder/requirements.txt")
    run("binder/postBuild")
    assert "iaiflow-lab" in start("jupyter", "labextension", "list").stderr
    queued = json.loads(start("iaiflow", "queue", "notebooks/flights.ipynb", "--json").stdout)
    start("iaiflow", "worker", "--drain")
    shown = json.loads(start("iaiflow", "runs", "show", queued["id"], "--json").stdout)
    assert shown["state"] == "completed", shown


def test_binder_names_a_supported_python(root: Path):
    version = (root / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert version in SpecifierSet(project["requires-python"])


def test_binder_has_one_way_to_install(root: Path):
    # environment.yml would win over requirements.txt; a "." in it would reinstall on every commit.
    assert not (root / "binder" / "environment.yml").exists()
    assert not (root / ".binder").exists()
    requirements = (root / "binder" / "requirements.txt").read_text().splitlines()
    assert not [line for line in requirements if line.startswith((".", "-"))]


def test_binder_start_hands_over(root: Path):
    assert (root / "binder" / "start").read_text().splitlines()[-1] == 'exec "$@"'
