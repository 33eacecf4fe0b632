"""`iaiflow runs export | zip | diff`: what runs leave behind, and how two of them differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iaiflow_lab.cli.output import (
    AsJson,
    console,
    cropped,
    duration,
    one_line,
    plain,
    print_json,
    print_table,
    styled,
)
from iaiflow_lab.errors import ConflictError
from iaiflow_lab.notebook.export import Form
from iaiflow_lab.service import history, open_session, outputs, run_diff
from iaiflow_lab.service.run_diff import Difference, RunDiff, StepDifference

Run = Annotated[str, typer.Argument(help="A run's id, or its first characters.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace files that are there.")]


def export(
    run: Run,
    *,
    to: Annotated[Form, typer.Option("--to", help="What it is made into.")] = Form.HTML,
    step: Annotated[str, typer.Option(help="Only the notebook of this step.")] = "",
    folder: Annotated[Path, typer.Option("--output", "-o", help="The folder for it.")] = Path(),
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Export a run's output notebooks as documents that run nothing and load nothing.

    A PDF needs Chromium or Chrome.
    """
    with open_session() as session:
        made = outputs.export(session, run, to, step)
    files = outputs.placed(made, folder)
    _refuse_present(list(files), force=force)
    written = outputs.write(files)
    if as_json:
        print_json([str(path) for path in written])
        return
    for path in written:
        typer.echo(str(path))


def zip_(
    run: Run,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The archive; default: RUN.zip.")
    ] = None,
    forms: Annotated[
        list[Form] | None,
        typer.Option("--to", help="What notebooks are made into as well; may be repeated."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Pack a run: its record, events, output notebooks and files."""
    with open_session() as session:
        found = history.get(session, run)
        path = (output or Path(f"{found.id}.zip")).absolute()
        _refuse_present([path], force=force)
        outputs.write_pack(session, found.id, path, forms or ())
    if as_json:
        print_json({"id": found.id, "path": str(path), "size": path.stat().st_size})
    else:
        typer.echo(f"{path} ({path.stat().st_size:,} bytes)")


def diff(
    old: Run,
    new: Annotated[str, typer.Argument(help="The run that it is compared with.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two runs: inputs, definition, steps, output notebooks."""
    with open_session() as session:
        found = run_diff.diff(session, old, new)
    if as_json:
        print_json(found.to_data())
    else:
        _print_diff(found)


def _refuse_present(paths: list[Path], *, force: bool) -> None:
    there = next((path for path in paths if path.exists()), None)
    if there is not None and (there.is_dir() or not force):
        remedy = "Name another place with --output" + ("" if there.is_dir() else ", or --force")
        raise ConflictError(f"{there} is there already.", remedy=remedy, code="file-exists")


def _print_diff(found: RunDiff) -> None:
    screen = console()
    if not found and not found.note:
        typer.echo("The runs do not differ.")
    for fact in found.facts:
        screen.print(plain(f"{fact.name}: {_shown(fact)}"), soft_wrap=True)
    for given in found.inputs:
        screen.print(plain(f"input {given.name}: {_shown(given)}"), soft_wrap=True)
    for line in found.definition.lines():
        screen.print(plain(one_line(line, 200)), soft_wrap=True)
    if found.steps:
        rows = [_row(step) for step in found.steps]
        print_table(("Step", "Before", "Time", "After", "Time", "Differs"), rows)
    for notebook in found.notebooks:
        if notebook.text:
            screen.print(plain(f"Output notebook of {notebook.step}:"), style="bold")
            typer.echo(notebook.text)
    if found.note:
        typer.echo(found.note, err=True)


def _shown(found: Difference) -> str:
    return f"{one_line(str(found.old), 90)} -> {one_line(str(found.new), 90)}"


def _row(step: StepDifference) -> tuple[object, ...]:
    errors = [error for error in (step.old_error, step.new_error) if error]
    what = ", ".join(step.outputs) if step.outputs else " -> ".join(errors)
    return (
        plain(step.step),
        styled(step.old or "-"),
        duration(step.old_s),
        styled(step.new or "-"),
        duration(step.new_s),
        cropped(one_line(what)),
    )
