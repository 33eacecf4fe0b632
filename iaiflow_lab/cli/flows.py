"""`iaiflow flows`: the flows of a workspace and the versions they had."""

from __future__ import annotations

from typing import Annotated

import typer

from iaiflow_lab.cli.files import project_path
from iaiflow_lab.cli.output import AsJson, cropped, local_time, print_json, print_table
from iaiflow_lab.model.diff import diff
from iaiflow_lab.service import flows, open_session
from iaiflow_lab.service.as_data import iso

app = typer.Typer(no_args_is_help=True, add_completion=False)

File = Annotated[str, typer.Argument(help="NAME.flow.json")]


@app.callback()
def group() -> None:
    """List flows; list, compare and restore their versions."""


@app.command("ls")
def list_(*, as_json: AsJson = False) -> None:
    """List the flows of the workspace."""
    with open_session() as session:
        found = flows.list_flows(session)
    if as_json:
        print_json(
            [
                {
                    "path": flow.path,
                    "name": flow.name,
                    "version": flow.version,
                    "saved_at": iso(flow.saved_at),
                    "problem": flow.problem,
                }
                for flow in found
            ]
        )
    elif found:
        rows = [
            (
                flow.path,
                cropped(flow.problem or flow.name),
                flow.version[:12],
                local_time(flow.saved_at),
            )
            for flow in found
        ]
        print_table(("Flow", "Name", "Version", "Saved"), rows, giving=["Name"])
    else:
        typer.echo(f"No flows in {session.workspace}.", err=True)


@app.command()
def versions(file: File, *, as_json: AsJson = False) -> None:
    """List every save that changed what a flow means, the newest first."""
    with open_session() as session:
        saves = flows.versions(session, project_path(session, file))
    if as_json:
        print_json(
            [
                {
                    "number": save.number,
                    "version": save.version,
                    "note": save.note,
                    "saved_at": iso(save.saved_at),
                }
                for save in saves
            ]
        )
    else:
        rows = [
            (str(save.number), save.version[:12], local_time(save.saved_at), cropped(save.note))
            for save in saves
        ]
        print_table(("Number", "Version", "Saved", "Note"), rows)


@app.command("diff")
def diff_(
    file: File,
    old: Annotated[str, typer.Argument(help="A save's number or version.")],
    new: Annotated[str, typer.Argument(help="Another one; left out: the file.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Show what changed in a flow's meaning; layout, notes and titles do not count."""
    with open_session() as session:
        path = project_path(session, file)
        found = diff(flows.version(session, path, old), flows.version(session, path, new))
    if as_json:
        print_json(found.to_data())
    elif found:
        typer.echo("\n".join(found.lines()))
    else:
        typer.echo("No difference.", err=True)


@app.command()
def restore(
    file: File,
    which: Annotated[str, typer.Argument(help="A save's number or version.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make an earlier version the present one, as a new save."""
    from iaiflow_lab.sdk.catalog import load_catalog

    with open_session() as session:
        path = project_path(session, file)
        saved = flows.restore(session, path, which, load_catalog(session.workspace))
    if as_json:
        print_json({"path": saved.path, "number": saved.number, "version": saved.version})
    else:
        typer.echo(f"{saved.path}  {saved.version[:12]}  save {saved.number}")
