"""`iaiflow runs`: what runs did and do, and changing their course."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from iaiflow_lab.cli import found_lines, live, run_outputs, run_removal, views
from iaiflow_lab.cli.files import Parameters, project_path, read_data, read_inputs
from iaiflow_lab.cli.output import AsJson, print_json
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.model.run import RunState, WaitOutcome
from iaiflow_lab.service import Session, as_data, history, log_search, open_session, runs, waits

app = typer.Typer(no_args_is_help=True, add_completion=False)

app.command("export")(run_outputs.export)
app.command("zip")(run_outputs.zip_)
app.command("diff")(run_outputs.diff)
app.command("rm")(run_removal.rm)

Run = Annotated[str, typer.Argument(help="A run's id, or its first characters.")]
Data = Annotated[str, typer.Option("--data", help="JSON, or @FILE that holds it.")]


@app.callback()
def group() -> None:
    """List, show, follow, answer, cancel, retry and remove runs."""


@app.command("ls")
def list_(
    *,
    states: Annotated[
        list[RunState] | None,
        typer.Option("--state", "-s", help="Only runs in this state; may be repeated."),
    ] = None,
    flow: Annotated[str | None, typer.Option(help="Only runs of this file.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", "-q", help="Only this queue.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    with open_session() as session:
        wanted = flow if flow is None or not Path(flow).exists() else project_path(session, flow)
        found = history.list_runs(
            session, states=states or (), flow=wanted, queue=queue, limit=limit
        )
    if as_json:
        print_json([as_data.summary_data(run) for run in found])
    elif found:
        views.print_summaries(found)
    else:
        typer.echo(f"No runs in {session.workspace}.", err=True)


@app.command()
def show(run: Run, *, as_json: AsJson = False) -> None:
    """Show one run with its steps, outputs and files."""
    with open_session() as session:
        found = history.get(session, run)
        files = history.artifacts(session, run)
    if as_json:
        print_json(as_data.run_data(found, files))
    else:
        views.print_run(found, files)


@app.command()
def logs(
    run: Annotated[str, typer.Argument(help="A run; without one, --grep looks in all.")] = "",
    *,
    step: Annotated[str, typer.Option(help="Only this step and those under it.")] = "",
    grep: Annotated[str, typer.Option(help="Only lines that match this expression.")] = "",
    ignore_case: Annotated[bool, typer.Option("--ignore-case", "-i", help="a is A.")] = False,
    flow: Annotated[str, typer.Option(help="Only runs of this file.")] = "",
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Only from this moment on, or for the last 2h, 1d.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many lines that match.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """Print what a run's steps wrote, or the lines of all runs that match --grep.

    The newest run comes first; the lines of a run stand in their order.
    """
    if not run and not grep:
        raise InputError("No run is named.", remedy="Name one, or look in all with --grep")
    with open_session() as session:
        if grep or flow or since:
            path = project_path(session, flow) if flow and Path(flow).exists() else flow
            wanted = log_search.LogSearch(
                grep, run, path, step, log_search.since(session, since), limit, ignore_case
            )
            found_lines.show(log_search.search(session, wanted), run, as_json=as_json)
            return
        found = history.logs(session, run, step)
    if as_json:
        print_json([as_data.event_data(number, event) for number, event in found])
        return
    for _, event in found:
        for line in event.text.rstrip().splitlines():
            typer.echo(f"{event.step} | {line}")


@app.command()
def follow(run: Run, *, as_json: AsJson = False) -> None:
    """Watch a run until it ends; exit status 1 when it does not complete.

    With --json, each event is one line of JSON.
    """
    with open_session() as session:
        if as_json:
            for number, event in history.follow(session, run):
                views.print_event(number, event)
        else:
            live.watch(_events(session, run), progress_of(session, run))
        found = history.get(session, run)
    if not as_json:
        views.print_end(found)
    raise typer.Exit(views.exit_status(found.state))


@app.command()
def cancel(run: Run, *, as_json: AsJson = False) -> None:
    """Cancel a run; one that is being executed ends as soon as its steps have ended."""
    with open_session() as session:
        found = history.get(session, run)
        state = runs.cancel(session, found.id)
    if as_json:
        print_json({"id": found.id, "state": state})
    elif state is RunState.CANCELLED:
        typer.echo(f"{found.id}  {state}")
    else:
        typer.echo(f"{found.id}  {state}; its worker was asked to end it")


@app.command()
def approve(
    run: Run,
    step: Annotated[str, typer.Argument(help="The step, when several wait.")] = "",
    *,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse instead.")] = False,
    data: Data = "",
    reason: Annotated[str, typer.Option(help="Why, for people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Approve what a run waits for, or refuse it."""
    value = read_data(data)
    with open_session() as session:
        decide = waits.refuse if refuse else waits.approve
        wait = decide(session, run, step, value=value, reason=reason)
        found = history.get(session, wait.run_id)
    if as_json:
        outcome = WaitOutcome.REFUSED if refuse else WaitOutcome.APPROVED
        print_json({"id": found.id, "state": found.state, "step": wait.step, "outcome": outcome})
    else:
        typer.echo(f"{found.id}  {wait.step} {'refused' if refuse else 'approved'}; {found.state}")


@app.command()
def signal(
    run: Run,
    name: Annotated[str, typer.Argument(help="What the signal is called.")],
    *,
    data: Data = "",
    dedupe: Annotated[
        str | None, typer.Option(help="A mark: a second signal with it changes nothing.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a signal to a run; one that nothing waits for yet is kept."""
    value = read_data(data)
    with open_session() as session:
        sent = waits.signal(session, run, name, value, dedupe=dedupe)
        found = history.get(session, run)
    if as_json:
        print_json({"id": found.id, "state": found.state, "step": sent.step, "known": sent.known})
    elif sent.known:
        typer.echo(f"{found.id}  was sent this before; {found.state}")
    else:
        what = f"taken by {sent.step}" if sent.step else "kept until something waits for it"
        typer.echo(f"{found.id}  {name!r} {what}; {found.state}")


@app.command()
def retry(
    run: Run,
    *,
    parameters: Parameters = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Execute completed steps again as well.")
    ] = False,
    latest: Annotated[
        bool, typer.Option("--latest", help="Take the file as it is now, not as it was then.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Queue a new run that repeats one that has ended, and goes on from its completed steps.

    With parameters, which replace those of the first run, everything is executed.
    """
    from iaiflow_lab.sdk.catalog import load_catalog

    with open_session() as session:
        found = history.get(session, run)
        inputs = read_inputs(session, found.flow, parameters) if parameters else None
        types = load_catalog(session.workspace)
        run_id = runs.retry(
            session, found.id, types, inputs=inputs, from_start=from_start, latest=latest
        )
    if as_json:
        print_json({"id": run_id, "state": RunState.QUEUED, "retry_of": found.id})
    else:
        typer.echo(f"{run_id}  {RunState.QUEUED}")


def progress_of(session: Session, run: str) -> RunProgress:
    """Return the lines of a run's nodes before anything has happened."""
    return RunProgress(history.definition(session, run).nodes)


def _events(session: Session, run: str) -> Iterator[Event]:
    return (event for _, event in history.follow(session, run))
