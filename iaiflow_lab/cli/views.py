"""Runs as commands show them: JSON with fixed names, and tables."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import typer

from iaiflow_lab.cli.output import (
    console,
    cropped,
    duration,
    local_time,
    one_line,
    plain,
    print_table,
    styled,
)
from iaiflow_lab.lab.listing import why
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.budget import describe
from iaiflow_lab.model.progress import asked
from iaiflow_lab.model.run import NAMED, TIMED, RunState, WaitKind
from iaiflow_lab.service.as_data import event_data
from iaiflow_lab.service.history import RunFile, RunSummary, RunView, StepView
from iaiflow_lab.store.waits import Wait

#: Below this width, in characters, the list of runs leaves its details to `iaiflow runs show`.
_NARROW: Final = 110
_SHORT_ID: Final = 18


def print_event(number: int, event: ev.Event) -> None:
    """Print an event as one line of JSON."""
    typer.echo(msgspec.json.encode(event_data(number, event)).decode())


def exit_status(state: RunState) -> int:
    """Return the exit status that tells how a run ended."""
    return 0 if state is RunState.COMPLETED else 1


def print_summaries(runs: Iterable[RunSummary]) -> None:
    """Print a table of runs; a narrow one has the starts of ids, which name a run as well."""
    is_narrow = console().width < _NARROW
    rows = [
        (
            run.id[:_SHORT_ID] if is_narrow else run.id,
            styled(run.state),
            cropped(run.flow),
            local_time(run.created_at)[5 if is_narrow else 0 :],
            duration(run.duration_s),
            cropped(one_line(why(run))),
        )
        for run in runs
    ]
    columns = ("Run", "State", "Flow", "Created", "Time", "Reason")
    if is_narrow:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows, giving=["Flow"])


def print_run(run: RunView, files: Sequence[RunFile]) -> None:
    """Print a run with its steps, outputs and files."""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    typer.echo(f"{run.id}  {run.flow}  {run.state}{attempt}")
    if run.attempt_reason:
        typer.echo(f"attempt {run.attempt} because: {one_line(run.attempt_reason, 200)}")
    typer.echo(f"version {run.version[:12]}  created {local_time(run.created_at)}", nl=False)
    typer.echo(f"  took {duration(run.duration_s)}" if run.started_at else "")
    _print_models(run)
    for name, value in run.inputs.items():
        typer.echo(f"  {name} = {one_line(str(value))}")
    if run.steps:
        _print_steps(run.steps)
    _print_waits(run)
    _print_files(files)
    print_end(run)


def _print_models(run: RunView) -> None:
    """Print what the run's models took, and what they may take."""
    took = [] if run.tokens is None else [f"{run.tokens:,} tokens"]
    took += [f"${run.cost:,.4f}"] if run.cost else []
    parts = [f"took {', '.join(took)}"] if took else []
    parts += [f"may take {describe(run.budget)}"] if run.budget else []
    if parts:
        typer.echo(f"models {'; '.join(parts)}")


def _print_steps(steps: Iterable[StepView]) -> None:
    rows = [
        (
            plain("  " * step.step.count("/") + _name(step.step)),
            styled(step.state),
            duration(step.duration_s),
            "" if step.rows is None else f"{step.rows:,}",
            "" if step.source in {None, "executed"} else step.source,
            cropped(one_line(_about(step))),
        )
        for step in steps
    ]
    print_table(("Step", "State", "Time", "Rows", "From", "Output"), rows)


def _asked(wait: Wait) -> str:
    return asked(wait.kind, wait.name, wait.message, wait.due)


def _print_waits(run: RunView) -> None:
    """Print what the run waits for, and how to answer."""
    still_open = [wait for wait in run.waits if wait.answered_at is None]
    for wait in still_open:
        limit = "" if wait.due is None or wait.kind in TIMED else f", until {local_time(wait.due)}"
        console().print(plain(f"{wait.step} {_asked(wait)}{limit}"), style="yellow", soft_wrap=True)
        if wait.kind is WaitKind.APPROVAL:
            is_one = sum(other.step == wait.step for other in still_open) == 1
            which = wait.step if is_one else f"{wait.step}#{wait.key}"
            typer.echo(f"  iaiflow runs approve {run.id} {shlex.quote(which)}  (or with --refuse)")
        elif wait.kind in NAMED:
            typer.echo(f"  iaiflow runs signal {run.id} {wait.name}")
        if wait.form is not None:
            typer.echo(f"  --data has to fit {one_line(json.dumps(wait.form), 200)}")


def _name(path: str) -> str:
    """Return the last part of a step's path, with the number of the item that it works on."""
    above, _, name = path.rpartition("/")
    return f"{above[above.rindex('[') :]} {name}" if above.endswith("]") else name


def _about(step: StepView) -> str:
    if step.error is not None:
        return step.error.message
    return step.reason or next((ref.preview for ref in step.outputs.values()), "")


def _print_files(files: Iterable[RunFile]) -> None:
    for file in files:
        place = "gone" if file.path is None else str(file.path)
        typer.echo(f"file {file.name} ({file.size:,} bytes): {place}")


def print_end(run: RunView) -> None:
    """Print what a run gave, or why it did not."""
    screen = console()
    if run.error is not None:
        place = f" in {run.error.step}" if run.error.step else ""
        screen.print(plain(f"error[{run.error.code}]{place}: {run.error.message}"), style="red")
        if run.error.trace:
            typer.echo(run.error.trace)
    elif run.state is not RunState.COMPLETED and run.reason:
        screen.print(plain(run.reason))
    for name, ref in run.outputs.items():
        screen.print(plain(f"{name} = {one_line(ref.preview, 200)}"), soft_wrap=True)
