"""`iaiflow serve`: API, schedules and workers of a workspace."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from iaiflow_lab.errors import InputError
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.service.runs import check_queue
from iaiflow_lab.settings import find_workspace

app = typer.Typer(add_completion=False)


@app.command()
def serve(  # noqa: PLR0913  one for each option
    *,
    workers: Annotated[
        int, typer.Option("--workers", "-c", min=1, max=256, help="Runs at a time.")
    ] = 1,
    queues: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help="A queue to serve; may be given several times."),
    ] = None,
    socket: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Answer on this Unix socket.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Answer on this port of 127.0.0.1; 0: any."),
    ] = None,
    clock: Annotated[bool, typer.Option("--clock/--no-clock", help="Fire schedules.")] = True,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that runs may take to end when stopped.")
    ] = 30.0,
    install: Annotated[
        bool, typer.Option("--install", help="Write a unit for systemd that serves like this.")
    ] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Remove that unit.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve the workspace until stopped: its API, its schedules and its workers.

    Without --socket and --port, it answers on a socket that only you can open. Ctrl-C (or SIGTERM)
    lets the present runs end; a second one gives them back to the queue, and a third one kills the
    workers. A run that is given back goes on from its recorded steps.
    """
    from iaiflow_lab.api.serve import Plan, Server, end_on_signals

    if socket is not None and port is not None:
        raise InputError("A server answers on a socket or on a port.", remedy="Give one of them")
    if install and uninstall:
        raise InputError("A unit is written or removed.", remedy="Give --install or --uninstall")
    for name in queues or ():
        check_queue(name)
    plan = Plan(
        workspace=find_workspace(),
        socket=socket,
        port=port,
        workers=workers,
        queues=tuple(queues or (DEFAULT_QUEUE,)),
        clock=clock,
        grace_s=grace,
        parent=parent,
    )
    if install or uninstall:
        from iaiflow_lab.cli import serve_unit

        (serve_unit.uninstall if uninstall else serve_unit.install)(plan)
        return
    server = Server(plan, _tell)
    end_on_signals(server)
    server.run()


def _tell(sentence: str) -> None:
    with suppress(OSError):  # the terminal may have gone
        typer.echo(sentence, err=True)
