"""`iaiflow demo`: run the example notebook as a queued production run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from iaiflow_lab.cli import examples, views
from iaiflow_lab.cli.files import project_path
from iaiflow_lab.cli.output import duration
from iaiflow_lab.cli.run import attend
from iaiflow_lab.model.run import RunState
from iaiflow_lab.service import Session, history, open_session, runs
from iaiflow_lab.service.history import RunFile, RunView

#: Lines of the report that are printed.
_HEAD: Final = 14
_REPORT: Final = "flights-report.md"

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    *,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="A folder with a copy of the example."),
    ] = None,
) -> None:
    """Run the example notebook as a queued production run, with a worker of its own.

    The run and all that it makes stay in the workspace. Exit status 1 when it does not complete.
    """
    from iaiflow_lab.sdk.catalog import load_catalog

    folder = examples.demo_folder(workspace)
    with open_session(folder) as session:
        path = project_path(session, str(folder / examples.DEMO))
        run_id = runs.start(session, path, {}, load_catalog(session.workspace))
        typer.echo(f"Queued {path} as {run_id}; a worker process takes it.")
        attend(session, run_id)
        found = history.get(session, run_id)
        if found.state is RunState.COMPLETED:
            _print_result(session, found, history.artifacts(session, run_id))
            again = "make lab" if workspace is None else f"iaiflow lab --workspace {workspace}"
            typer.echo(f"\nOpen the notebook in JupyterLab:  {again}")
        else:
            views.print_end(found)
    raise typer.Exit(views.exit_status(found.state))


def _print_result(session: Session, run: RunView, files: list[RunFile]) -> None:
    report = next((file for file in files if file.name == _REPORT), None)
    typer.echo("")
    if report is not None and report.path is not None:
        lines = report.path.read_text(encoding="utf-8").splitlines()
        typer.echo("\n".join(lines[:_HEAD]))
        if len(lines) > _HEAD:
            typer.echo(f"... {len(lines) - _HEAD} more lines")
    typer.echo(f"\nCompleted in {duration(run.duration_s)}.")
    for what, place in _places(session, run, report):
        typer.echo(f"  {what:<17}{place}")


def _places(session: Session, run: RunView, report: RunFile | None) -> Iterator[tuple[str, object]]:
    """Yield what the run left behind, with its place."""
    output = run.outputs.get("notebook.notebook")
    if output is not None:
        yield "output notebook", output.inline
    if report is not None:
        yield "report", report.path
    yield "history and logs", _command(session.workspace, f"runs show {run.id}")
    yield "database", session.store.state / "lab.db"


def _command(workspace: Path, arguments: str) -> str:
    """Return a command for `workspace` as it can be typed here."""
    program = "iaiflow"
    if shutil.which(program) is None:
        program = shlex.quote(os.path.relpath(Path(sys.executable).with_name(program), workspace))
    place = "" if workspace == Path.cwd() else f"cd {shlex.quote(os.path.relpath(workspace))} && "
    return f"{place}{program} {arguments}"
