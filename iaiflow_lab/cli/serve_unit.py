"""`iaiflow serve --install` and `--uninstall`: let systemd serve the workspace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from iaiflow_lab.api import systemd

if TYPE_CHECKING:
    from iaiflow_lab.api.serve import Plan


def install(plan: Plan) -> None:
    """Write the unit that serves as planned, and say how it is started."""
    unit = systemd.unit_for(plan.workspace, command(plan), plan.grace_s)
    systemd.install(unit)
    typer.echo(f"Written: {unit.path}\n\n{unit.text}")
    typer.echo("Start it now and at each login:")
    typer.echo("  systemctl --user daemon-reload")
    typer.echo(f"  systemctl --user enable --now {unit.name}")
    typer.echo("Keep it when you log out, and start it with the machine:")
    typer.echo("  loginctl enable-linger")
    typer.echo("See how it is doing:")
    typer.echo(f"  systemctl --user status {unit.name}")
    typer.echo("  iaiflow doctor")


def uninstall(plan: Plan) -> None:
    """Remove the unit, and say how what it has started is ended."""
    path = systemd.uninstall(plan.workspace)
    typer.echo(f"Removed: {path}\n\nEnd what it has started:")
    typer.echo(f"  systemctl --user stop {path.name}")
    typer.echo("  systemctl --user daemon-reload")


def command(plan: Plan) -> list[str]:
    """Return the command line that serves as planned."""
    made = [sys.executable, "-P", "-m", "iaiflow_lab", "serve", "--workers", str(plan.workers)]
    for queue in plan.queues:
        made += ["--queue", queue]
    if plan.socket is not None:
        made += ["--socket", str(plan.socket.absolute())]
    if plan.port is not None:
        made += ["--port", str(plan.port)]
    if not plan.clock:
        made.append("--no-clock")
    return [*made, "--grace", f"{plan.grace_s:g}"]
