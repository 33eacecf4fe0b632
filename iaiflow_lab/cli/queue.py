"""`iaiflow queue`: put a flow or notebook into the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from iaiflow_lab.cli.files import Budget, Parameters, Timeout, UseCache, project_path, read_inputs
from iaiflow_lab.cli.output import AsJson, print_json
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.budget import read_budget
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.service import Session, history, open_session, runs
from iaiflow_lab.service.runs import Options

app = typer.Typer(add_completion=False)


@app.command()
def queue(  # noqa: PLR0913  one for each option
    file: Annotated[
        str, typer.Argument(help="NAME.flow.json or NAME.ipynb, or the id of a draft.")
    ],
    *,
    parameters: Parameters = None,
    queue: Annotated[str, typer.Option("--queue", "-q", help="The queue.")] = DEFAULT_QUEUE,
    priority: Annotated[int, typer.Option(help="The lowest goes first.")] = 0,
    delay: Annotated[
        float | None, typer.Option(metavar="S", help="Not before S seconds from now.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Write it down, do not queue it.")] = False,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", metavar="K", help="Queue at most once for this key."),
    ] = None,
    timeout: Timeout = None,
    budget: Budget = None,
    use_cache: UseCache = False,
    as_json: AsJson = False,
) -> None:
    """Put a flow or notebook into the queue; a worker executes it.

    A draft keeps what was written down with it, but for the parameters that are given now.
    """
    limits = read_budget(budget or ())
    options = Options(queue, priority, None, delay, timeout, limits, use_cache, key)
    with open_session() as session:
        if file.startswith("run_") and not Path(file).exists():
            run_id = _queue_draft(session, file, parameters or (), options)
        else:
            run_id = _put(session, file, parameters or (), options, draft=draft)
        state = history.get(session, run_id).state
    if as_json:
        print_json({"id": run_id, "state": state})
    else:
        typer.echo(f"{run_id}  {state}")


def _put(
    session: Session, file: str, parameters: Sequence[str], options: Options, *, draft: bool
) -> str:
    from iaiflow_lab.sdk.catalog import load_catalog

    path = project_path(session, file)
    inputs = read_inputs(session, path, parameters)
    if draft:
        return runs.prepare(session, path, inputs, options)
    return runs.start(session, path, inputs, load_catalog(session.workspace), options)


def _queue_draft(session: Session, run: str, parameters: Sequence[str], options: Options) -> str:
    from iaiflow_lab.sdk.catalog import load_catalog

    if options != Options():
        raise InputError(
            "A draft keeps the queue, priority and other options that it was made with.",
            remedy="Give parameters only, or queue the file itself",
        )
    found = history.get(session, run)
    if parameters:
        given = read_inputs(session, found.flow, parameters)
        runs.edit_draft(session, found.id, {**found.inputs, **given})
    runs.queue_draft(session, found.id, load_catalog(session.workspace))
    return found.id
