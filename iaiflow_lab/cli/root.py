"""The root of the command line: its commands by name, imported when they are called."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

#: Every command, with its line in `iaiflow --help`; `iaiflow_lab.cli.NAME.app` is the command.
COMMANDS: Final = {
    "demo": "Run the example notebook as a queued production run.",
    "lab": "Open the workspace in JupyterLab.",
    "run": "Run a flow or notebook now and watch it.",
    "validate": "Check flow files as a compiler would.",
    "queue": "Put a flow or notebook into the queue.",
    "worker": "Execute queued runs until stopped.",
    "serve": "Serve the workspace: API, schedules and workers.",
    "runs": "List, show, follow, cancel, retry and remove runs.",
    "schedule": "Run flows and notebooks by themselves.",
    "notify": "Tell people about failed, ended, waiting and late runs.",
    "flows": "List flows; list, compare and restore their versions.",
    "nodes": "List, show, create and promote node types.",
    "memory": "Search, add to, correct and erase what agents remember.",
    "secrets": "Keep keys and passwords that flows name, and nobody reads.",
    "storage": "Show what the workspace takes on its disk, and clean it.",
    "doctor": "Check this machine and workspace.",
}


class LazyGroup(TyperGroup):
    """Shows every command and imports only the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the real command that `args` start with, its name, and the other arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = typer.main.get_command(import_module(f"iaiflow_lab.cli.{name}").app)
            command.name = name
        return name, command, rest


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        typer.echo(f"iaiflow {metadata.version('iaiflow-lab')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version)
    ] = False,
) -> None:
    """Build, queue and watch flows and notebooks."""
    del version  # its callback has answered
