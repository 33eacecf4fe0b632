"""Lines of logs that a search found, as commands print them."""

from __future__ import annotations

import typer

from iaiflow_lab.cli.output import print_json
from iaiflow_lab.service.log_search import Found, to_data


def show(found: Found, run: str, *, as_json: bool) -> None:
    """Print what was found; the runs are named unless only one was searched."""
    if as_json:
        print_json(to_data(found))
        return
    for line in found.lines:
        place = line.step if run else f"{line.run_id} {line.flow} {line.step}"
        typer.echo(f"{place} | {line.text}")
    if found.is_cut:
        typer.echo("There are more lines; --limit shows more of them.", err=True)
