"""`iaiflow notify`: who is told about which runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from iaiflow_lab.cli.files import project_path
from iaiflow_lab.cli.output import AsJson, one_line, plain, print_json, print_table
from iaiflow_lab.model.moment import parse_duration
from iaiflow_lab.model.quiet import parse_quiet
from iaiflow_lab.service import notifications, open_session
from iaiflow_lab.service.notifications import Rule, RuleSpec, Told, rule_data
from iaiflow_lab.service.schedule_when import local_zone

app = typer.Typer(no_args_is_help=True, add_completion=False)

Ref = Annotated[str, typer.Argument(help="A rule's id, or its first characters.")]


@app.callback()
def group() -> None:
    """Tell people, by mail, webhook or Slack, of runs that end, wait, are late or were missed."""


@app.command()
def add(  # noqa: PLR0913  one for each option
    target: Annotated[
        str | None, typer.Argument(help="NAME.flow.json or NAME.ipynb; without it, all.")
    ] = None,
    *,
    on: Annotated[
        list[Told] | None, typer.Option(help="What is told; may be repeated. Else: failed.")
    ] = None,
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who gets an e-mail.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="What is called, signed; or env:NAME.")
    ] = None,
    secret: Annotated[
        str, typer.Option(metavar="NAME", help="The environment variable with a webhook's secret.")
    ] = "",
    slack: Annotated[
        str | None, typer.Option(metavar="URL", help="An incoming webhook; best as env:NAME.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="HOURS", help="When nothing is sent: 22:00-07:00.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of the hours; else this machine's.")
    ] = None,
    group_time: Annotated[
        str, typer.Option("--group", metavar="TIME", help="At most one message in so long.")
    ] = "1m",
    late_after: Annotated[
        str, typer.Option(metavar="TIME", help="When a scheduled run that has not begun is late.")
    ] = "5m",
    as_json: AsJson = False,
) -> None:
    """Save a rule; it counts for what happens from now on."""
    channel, address = notifications.one_channel(email=email, webhook=webhook, slack=slack)
    with open_session() as session:
        spec = RuleSpec(
            channel=channel,
            target=address,
            flow="" if target is None else project_path(session, target),
            events=tuple(on or (Told.FAILED,)),
            secret=secret,
            quiet=None if quiet is None else parse_quiet(quiet, zone or local_zone()),
            group_s=parse_duration(group_time),
            late_s=parse_duration(late_after),
        )
        _say(notifications.add(session, spec), as_json=as_json)


@app.command("ls")
def list_(*, as_json: AsJson = False) -> None:
    """List the rules, with what became of what they had to tell."""
    with open_session() as session:
        found = notifications.list_rules(session)
        workspace = session.workspace
    if as_json:
        print_json([rule_data(rule) for rule in found])
    elif found:
        _print_table(found)
    else:
        typer.echo(f"No rules in {workspace}.", err=True)


@app.command()
def pause(rule: Ref, *, as_json: AsJson = False) -> None:
    """Let a rule tell nothing until it is resumed."""
    with open_session() as session:
        _say(notifications.pause(session, rule), as_json=as_json)


@app.command()
def resume(rule: Ref, *, as_json: AsJson = False) -> None:
    """Let a paused rule tell what happens from now on."""
    with open_session() as session:
        _say(notifications.resume(session, rule), as_json=as_json)


@app.command("rm")
def remove(rule: Ref, *, as_json: AsJson = False) -> None:
    """Delete a rule, with what it had still to tell."""
    with open_session() as session:
        rule_id = notifications.remove(session, rule)
    _report({"id": rule_id, "state": "removed"}, as_json=as_json)


@app.command("test")
def try_out(rule: Ref, *, as_json: AsJson = False) -> None:
    """Send an example by a rule, now, with the secrets of this shell's environment."""
    from iaiflow_lab.notify.channels import Post
    from iaiflow_lab.notify.delivery import send_test

    with open_session() as session:
        found = notifications.get(session, rule)
        send_test(session, found.id, Post.of_process(session.store.settings))
    _report({"id": found.id, "state": "sent"}, as_json=as_json)


def _print_table(found: Sequence[Rule]) -> None:
    rows = [
        (
            rule.id,
            "paused" if rule.paused else "active",
            plain(rule.spec.flow or "all flows"),
            ", ".join(rule.spec.events),
            plain(f"{rule.spec.channel} {rule.spec.target}"),
            f"{rule.sent}/{rule.pending}/{rule.given_up}",
            plain(one_line(rule.error, 200)),
        )
        for rule in found
    ]
    columns = ("Rule", "State", "Flow", "Tells", "To", "Sent/open/lost", "Trouble")
    print_table(columns, rows, giving=["Tells", "To", "Trouble"])


def _say(rule: Rule, *, as_json: bool) -> None:
    if as_json:
        print_json(rule_data(rule))
        return
    spec = rule.spec
    hours = f"; quiet {spec.quiet}" if spec.quiet else ""
    typer.echo(f"{rule.id}  {'paused' if rule.paused else 'active'}")
    typer.echo(f"{', '.join(spec.events)} of {spec.flow or 'all flows'}", nl=False)
    typer.echo(f" to {spec.channel} {spec.target}{hours}")


def _report(data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        typer.echo(f"{data['id']}  {data['state']}")
