"""`iaiflow secrets`: what nodes may use and nobody may read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from iaiflow_lab.cli.output import AsJson, local_time, plain, print_json, print_table
from iaiflow_lab.errors import InputError
from iaiflow_lab.service import open_session, secrets
from iaiflow_lab.service.secrets import LONGEST, secret_data
from iaiflow_lab.service.waits import local_user

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Such as OPENAI_API_KEY.")]


@app.callback()
def group() -> None:
    """Keep keys and passwords that flows name: `secret:NAME`. Nothing shows what one holds."""


@app.command("set")
def set_(name: Name, *, as_json: AsJson = False) -> None:
    """Set a secret: it is asked for, or read from the standard input."""
    value = _value(name)
    with open_session() as session:
        made = secrets.put(session, name, value, local_user())
    if secrets.is_short(value):
        typer.echo("It is too short to be cut out of what runs write.", err=True)
    if as_json:
        print_json(secret_data(made))
    else:
        typer.echo(f"{made.name}  version {made.version}")


@app.command("ls")
def list_(*, as_json: AsJson = False) -> None:
    """List the secrets, without what they hold."""
    from iaiflow_lab.sdk.catalog import load_catalog

    with open_session() as session:
        found = secrets.list_secrets(session, load_catalog(session.workspace))
        workspace = session.workspace
    if as_json:
        print_json([secret_data(secret) for secret in found])
    elif found:
        rows = [
            (
                secret.name,
                str(secret.version),
                local_time(secret.created_at),
                plain(secret.created_by),
                plain(", ".join(secret.used_in)),
            )
            for secret in found
        ]
        print_table(("Secret", "Version", "Set", "By", "Used in"), rows, giving=["Used in"])
    else:
        typer.echo(f"No secrets in {workspace}.", err=True)


@app.command("rm")
def remove(name: Name, *, as_json: AsJson = False) -> None:
    """Forget a secret."""
    with open_session() as session:
        secrets.remove(session, name)
    if as_json:
        print_json({"name": name, "state": "removed"})
    else:
        typer.echo(f"{name}  removed")


@app.command()
def rotate(*, as_json: AsJson = False) -> None:
    """Encrypt all secrets by new keys; what they hold stays."""
    with open_session() as session:
        count = secrets.rotate(session)
        place = secrets.place(session)
    if as_json:
        print_json({"secrets": count, "key": place})
    elif place is None:
        typer.echo("There are no secrets.", err=True)
    else:
        typer.echo(f"{count} encrypted anew; their key is {place}.")


def _value(name: str) -> str:
    """Ask for a value, or read it where nobody can be asked; never from the command line."""
    if sys.stdin.isatty():
        return typer.prompt(name, hide_input=True, confirmation_prompt=True)
    given = sys.stdin.buffer.read(LONGEST + 3)  # so that what is too long is seen to be
    try:
        return given.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError("The standard input is no UTF-8 text.", where="value") from None
