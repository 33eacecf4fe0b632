"""Files and arguments that people name on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.json_value import unique_object
from iaiflow_lab.service import Session, flows

#: The option that gives a run its parameters.
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; may be repeated."),
]
#: The options of how a run is executed.
Timeout = Annotated[
    float | None, typer.Option(metavar="S", help="Fail it after S seconds of execution.")
]
Budget = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIMIT=N",
        help="What its models may take: cost=2 (dollars), tokens=500000, calls=200; repeatable.",
    ),
]
UseCache = Annotated[
    bool, typer.Option("--cache", help="Take outputs of earlier runs where they fit.")
]


def project_path(session: Session, file: str) -> str:
    """Return the path in the workspace of a file that was named from the current folder.

    Raises:
        InputError: It lies outside the workspace.
    """
    relative = os.path.relpath(file, session.workspace)
    if relative.startswith(os.pardir):
        raise InputError(
            f"{file!r} is outside the workspace {session.workspace}.",
            remedy="Go to the file's own folder first, or copy it into the workspace",
        )
    return relative.replace(os.sep, "/")


def read_data(text: str) -> Any:
    """Return the JSON value of an argument, or of the file that `@FILE` names; None for "".

    Raises:
        InputError: It is no JSON, or the file cannot be read.
    """
    if not text:
        return None
    try:
        written = Path(text[1:]).read_text(encoding="utf-8") if text[0] == "@" else text
        return json.loads(written, object_pairs_hook=unique_object)
    except OSError as error:
        raise InputError(f"The file can't be read: {error.strerror}.", where=text[1:]) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The data is no JSON: {error}.", remedy="Write for example --data '{\"n\": 1}'"
        ) from error


def read_inputs(session: Session, path: str, items: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` arguments as the parameters of the flow or notebook at `path` say.

    Raises:
        InputError: An argument has another form, names no parameter, or its value does not fit.
        LabError: The file cannot be read.
    """
    if path.endswith(".ipynb"):
        from iaiflow_lab.notebook.document import read_notebook
        from iaiflow_lab.notebook.parameters import parse_arguments
        from iaiflow_lab.safe.path import safe_path

        file = safe_path(session.workspace, path, must_exist=True)
        return parse_arguments(read_notebook(file), items)
    from iaiflow_lab.model.parameters import parse_cli

    return parse_cli(items, flows.load(session, path).parameters)
