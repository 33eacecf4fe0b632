"""`iaiflow lab`, and where the examples are looked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from iaiflow_lab.cli import examples, lab
from iaiflow_lab.errors import NotFoundError


def test_the_demo_is_opened_where_it_is(workspace: Path):
    command = lab.jupyterlab_command(workspace, ["--no-browser"])
    assert f"--ServerApp.root_dir={workspace}" in command
    assert "--ServerApp.ip=127.0.0.1" in command
    assert not any("default_url" in argument for argument in command)
    (workspace / examples.DEMO).touch()
    command = lab.jupyterlab_command(workspace, ["--no-browser"])
    assert "--LabApp.default_url=/lab/tree/flights.ipynb" in command
    assert command[-1] == "--no-browser"


def test_a_missing_jupyterlab_is_said(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    result = CliRunner().invoke(lab.app, [])
    assert isinstance(result.exception, NotFoundError)
    assert "pip install" in str(result.exception)


def test_an_installed_package_has_no_examples(monkeypatch: pytest.MonkeyPatch, workspace: Path):
    monkeypatch.setattr(examples, "_ROOT", workspace)
    with pytest.raises(NotFoundError, match="not part of the installed package"):
        examples.demo_folder(None)
    assert not examples.is_checkout(workspace)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_it_serves_on_this_machine_only(workspace: Path):
    code = "from iaiflow_lab.cli import main; main()"
    arguments = ["lab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(workspace / "runtime")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=workspace,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        try:
            while "http://" not in (line := process.stderr.readline()):
                assert line, "it ended without serving"
            assert "http://127.0.0.1:" in line or "http://localhost:" in line
        finally:
            process.terminate()
            process.communicate(timeout=60)
