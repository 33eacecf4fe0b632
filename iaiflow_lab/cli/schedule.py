"""`iaiflow schedule`: when flows and notebooks run by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from iaiflow_lab.cli.files import Parameters, project_path, read_inputs
from iaiflow_lab.cli.output import AsJson, local_time, one_line, plain, print_json, print_table
from iaiflow_lab.model.moment import parse_duration, parse_moment
from iaiflow_lab.model.schedule import Catchup, Moment, Overlap, Rule, describe
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.service import Session, firing, open_session, schedules, servers
from iaiflow_lab.service.as_data import miss_data, moment_data, schedule_data
from iaiflow_lab.service.runs import Options
from iaiflow_lab.service.schedule_rows import Schedule, ScheduleSpec
from iaiflow_lab.service.schedule_when import local_zone, make_rule

app = typer.Typer(no_args_is_help=True, add_completion=False)

Ref = Annotated[
    str, typer.Argument(help="A schedule's name, its id, or the id's first characters.")
]
Count = Annotated[int, typer.Option("--count", "-n", help="How many.")]


@app.callback()
def group() -> None:
    """Run flows and notebooks by themselves: at times, at intervals, once, or on file changes."""


@app.command()
def add(  # noqa: PLR0913  one for each option
    target: Annotated[str, typer.Argument(help="NAME.flow.json or NAME.ipynb.")],
    *,
    cron: Annotated[
        str | None, typer.Option(metavar="EXPR", help="Five fields, such as '0 6 * * 1-5'.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="An interval: 90s, 15m, 1h30m, 2d.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Once, such as 2026-12-01T06:00.")
    ] = None,
    on_change: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Files of the workspace; may be repeated."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin; else this machine's.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Not before; intervals count from it.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="MOMENT", help="Not after.")] = None,
    jitter: Annotated[
        str, typer.Option(metavar="TIME", help="Up to so much later, by chance.")
    ] = "0s",
    name: Annotated[str, typer.Option(help="What it is called; else after the file.")] = "",
    parameters: Parameters = None,
    version: Annotated[
        str | None,
        typer.Option(metavar="V", help="A save's number or version, or 'now'; else the latest."),
    ] = None,
    catchup: Annotated[
        Catchup, typer.Option(help="What is made up for of moments missed while nothing ran.")
    ] = Catchup.LATEST,
    overlap: Annotated[
        Overlap, typer.Option(help="What a moment does while the run before has not ended.")
    ] = Overlap.SKIP,
    queue: Annotated[str, typer.Option("--queue", "-q", help="The queue.")] = DEFAULT_QUEUE,
    priority: Annotated[int, typer.Option(help="The lowest goes first.")] = 0,
    timeout: Annotated[
        float | None, typer.Option(metavar="S", help="Fail a run after S seconds of execution.")
    ] = None,
    use_cache: Annotated[
        bool, typer.Option("--cache", help="Take outputs of earlier runs where they fit.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show when it would fire; save nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save a schedule and show its next ten moments."""
    from iaiflow_lab.sdk.catalog import load_catalog

    in_zone = zone or local_zone()
    rule = make_rule(
        cron=cron,
        every=None if every is None else parse_duration(every),
        at=at,
        on_change=on_change,
        zone=in_zone,
        start=None if start is None else parse_moment(start, in_zone),
        end=None if end is None else parse_moment(end, in_zone),
        jitter=parse_duration(jitter),
    )
    with open_session() as session:
        if preview:
            _show_moments(schedules.preview(session, rule), rule, as_json=as_json)
            return
        path = project_path(session, target)
        spec = ScheduleSpec(
            target=path,
            rule=rule,
            name=name,
            inputs=read_inputs(session, path, parameters or ()),
            version=version,
            catchup=catchup,
            overlap=overlap,
            options=Options(queue, priority, timeout=timeout, use_cache=use_cache),
        )
        made = schedules.add(session, spec, load_catalog(session.workspace))
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
    from iaiflow_lab.sdk.catalog import load_catalog

    with open_session() as session:
        run_id = firing.run_now(session, schedule, load_catalog(session.workspace))
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


def _show_moments(moments: Sequence[Moment], rule: Rule, *, as_json: bool) -> None:
    if as_json:
        print_json([moment_data(moment) for moment in moments])
        return
    typer.echo(describe(rule))
    _print_moments(moments)


def _print_moments(moments: Sequence[Moment]) -> None:
    for moment in moments:
        typer.echo(f"  {moment.local.replace('T', ' ')}{'  ' if moment.note else ''}{moment.note}")
