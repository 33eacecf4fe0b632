"""`iaiflow schedule`: when flows and notebooks run by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from iaiflow_lab.cli import schedule_options as options
from iaiflow_lab.cli.files import Parameters, project_path, read_inputs
from iaiflow_lab.cli.output import AsJson, local_time, one_line, plain, print_json, print_table
from iaiflow_lab.model.schedule import Moment, Rule, describe
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.service import Session, firing, open_session, schedules, servers
from iaiflow_lab.service.as_data import miss_data, moment_data, schedule_data
from iaiflow_lab.service.schedule_rows import Schedule
from iaiflow_lab.service.scheduling import Scheduling, new_rule, new_spec

app = typer.Typer(no_args_is_help=True, add_completion=False)

Ref = Annotated[
    str, typer.Argument(help="A schedule's name, its id, or the id's first characters.")
]
Count = Annotated[int, typer.Option("--count", "-n", help="How many.")]


@app.callback()
def group() -> None:
    """Run flows and notebooks by themselves: at times, at intervals, once, or on file changes."""


@app.command()
@options.takes_scheduling
def add(
    target: Annotated[str, typer.Argument(help="NAME.flow.json or NAME.ipynb.")],
    *,
    what: Scheduling,
    parameters: Parameters = None,
    preview: options.Preview = False,
    as_json: AsJson = False,
) -> None:
    """Save a schedule and show its next ten moments."""
    with open_session() as session:
        if preview:
            _show_preview(session, new_rule(what), as_json=as_json)
            return
        path = project_path(session, target)
        what["inputs"] = read_inputs(session, path, parameters or ())
        made = schedules.add(session, new_spec(path, what), _catalog(session))
        _show_one(session, made, as_json=as_json)


@app.command()
@options.takes_scheduling
def edit(
    schedule: Ref,
    *,
    what: Scheduling,
    parameters: Parameters = None,
    target: options.Target = None,
    unset: options.Unset = None,
    preview: options.Preview = False,
    as_json: AsJson = False,
) -> None:
    """Change a schedule, only in what is given, and show its next ten moments."""
    with open_session() as session:
        path = None if target is None else project_path(session, target)
        change = options.Change(session, what, path, parameters or (), unset or ())
        if preview:
            spec = change(schedules.get(session, schedule).spec)
            _show_preview(session, spec.rule, as_json=as_json)
            return
        made = schedules.alter(session, schedule, change, _catalog(session))
        _show_one(session, made, as_json=as_json)


@app.command("ls")
def list_(*, as_json: AsJson = False) -> None:
    """List schedules, the next to fire first."""
    with open_session() as session:
        found = schedules.list_schedules(session)
        note = servers.firing_note(session)
    if as_json:
        print_json([schedule_data(schedule) for schedule in found])
        return
    if found:
        _print_table(found)
    else:
        typer.echo(f"No schedules in {session.workspace}.", err=True)
    typer.echo(note, err=True)


@app.command()
def show(schedule: Ref, *, as_json: AsJson = False) -> None:
    """Show one schedule, its next ten moments, and which process fires it."""
    with open_session() as session:
        _show_one(session, schedules.get(session, schedule), as_json=as_json)


@app.command("next")
def next_(schedule: Ref, *, count: Count = 10, as_json: AsJson = False) -> None:
    """Show a schedule's next moments."""
    with open_session() as session:
        found = schedules.next_times(session, schedule, count)
        rule = schedules.get(session, schedule).spec.rule
    _show_moments(found, rule, as_json=as_json)


@app.command()
def pause(schedule: Ref, *, as_json: AsJson = False) -> None:
    """Let a schedule fire no more until it is resumed."""
    with open_session() as session:
        _say_state(schedules.pause(session, schedule), as_json=as_json)


@app.command()
def resume(schedule: Ref, *, as_json: AsJson = False) -> None:
    """Let a paused schedule go on from its next moment."""
    with open_session() as session:
        _say_state(schedules.resume(session, schedule), as_json=as_json)


@app.command("rm")
def remove(schedule: Ref, *, as_json: AsJson = False) -> None:
    """Delete a schedule; the runs that it made stay."""
    with open_session() as session:
        found = schedules.get(session, schedule)
        schedules.remove(session, found.id)
    if as_json:
        print_json({"id": found.id, "state": "removed"})
    else:
        typer.echo(f"{found.spec.name}  removed")


@app.command()
def run(schedule: Ref, *, as_json: AsJson = False) -> None:
    """Queue a run of a schedule now; its moments stay as they are."""
    with open_session() as session:
        run_id = firing.run_now(session, schedule, _catalog(session))
    if as_json:
        print_json({"id": run_id, "state": "queued"})
    else:
        typer.echo(f"{run_id}  queued")


@app.command()
def misses(
    schedule: Annotated[str | None, typer.Argument(help="Only those of this schedule.")] = None,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List moments for which no run was made, the newest first, and why."""
    with open_session() as session:
        found = schedules.misses(session, schedule, limit)
    if as_json:
        print_json([miss_data(miss) for miss in found])
    elif found:
        rows = [(plain(m.name), local_time(m.due_at), m.reason, plain(m.message)) for m in found]
        print_table(("Schedule", "Due", "Reason", "Why"), rows)
    else:
        typer.echo("No moment was missed.", err=True)


def _catalog(session: Session) -> Signatures:
    from iaiflow_lab.sdk.catalog import load_catalog

    return load_catalog(session.workspace)


def _print_table(found: Sequence[Schedule]) -> None:
    rows = [
        (
            plain(schedule.spec.name),
            schedule.state,
            plain(schedule.spec.target),
            local_time(schedule.next_due),
            schedule.last_state or "",
            plain(one_line(describe(schedule.spec.rule))),
        )
        for schedule in found
    ]
    print_table(("Name", "State", "Target", "Next", "Last run", "When"), rows, giving=["Target"])


def _show_one(session: Session, schedule: Schedule, *, as_json: bool) -> None:
    moments = schedules.next_times(session, schedule.id)
    if as_json:
        next_times = [moment_data(moment) for moment in moments]
        print_json(
            schedule_data(schedule) | {"next": next_times, "fired_by": servers.firing_note(session)}
        )
        return
    spec = schedule.spec
    typer.echo(f"{spec.name}  {schedule.state}  {schedule.id}")
    if schedule.fault:
        typer.echo(schedule.fault)
    typer.echo(f"{spec.target}, {'the latest' if spec.version is None else spec.version[:12]}")
    for name, value in spec.inputs.items():
        typer.echo(f"  {name} = {one_line(str(value))}")
    typer.echo(f"{describe(spec.rule)}; overlap {spec.overlap}, catchup {spec.catchup}")
    if schedule.last_run:
        typer.echo(f"last run {schedule.last_run} {schedule.last_state}")
    _print_moments(moments)
    typer.echo(servers.firing_note(session), err=True)


def _say_state(schedule: Schedule, *, as_json: bool) -> None:
    if as_json:
        print_json(schedule_data(schedule))
    else:
        following = f"; next {local_time(schedule.next_due)}" if schedule.next_due else ""
        typer.echo(f"{schedule.spec.name}  {schedule.state}{following}")


def _show_preview(session: Session, rule: Rule, *, as_json: bool) -> None:
    _show_moments(schedules.preview(session, rule), rule, as_json=as_json)


def _show_moments(moments: Sequence[Moment], rule: Rule, *, as_json: bool) -> None:
    if as_json:
        print_json([moment_data(moment) for moment in moments])
        return
    typer.echo(describe(rule))
    _print_moments(moments)


def _print_moments(moments: Sequence[Moment]) -> None:
    for moment in moments:
        typer.echo(f"  {moment.local.replace('T', ' ')}{'  ' if moment.note else ''}{moment.note}")
