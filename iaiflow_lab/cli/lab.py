"""`iaiflow lab`: open the workspace in JupyterLab."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from iaiflow_lab.cli import examples
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.settings import find_workspace

app = typer.Typer(add_completion=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    *,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="A folder in it; left out: the current one."),
    ] = None,
) -> None:
    """Open the workspace in JupyterLab, on this machine only; other arguments go to JupyterLab.

    In a checkout of the project, it is the folder of examples.
    """
    if find_spec("jupyterlab") is None:
        raise NotFoundError("JupyterLab is not installed.", remedy="pip install 'iaiflow-lab[lab]'")
    command = jupyterlab_command(_folder(workspace), context.args)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  no shell: an argument list


def jupyterlab_command(folder: Path, arguments: list[str]) -> list[str]:
    """Return the command line that serves `folder` on the loopback interface."""
    command = [
        sys.executable,
        "-P",  # a file in this folder must not stand in for a module
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
    ]
    demo = folder / examples.DEMO
    if demo.is_file():
        command.append(f"--LabApp.default_url=/lab/tree/{quote(demo.name)}")
    return [*command, *arguments]


def _folder(workspace: Path | None) -> Path:
    here = Path.cwd()
    if workspace is None and examples.is_checkout(here):
        return here / "notebooks"
    return find_workspace(workspace)
