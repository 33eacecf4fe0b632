"""`iaiflow storage`: what the workspace takes on its disk, and cleaning it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from iaiflow_lab.cli.output import AsJson, print_json, print_table
from iaiflow_lab.service import open_session, retention
from iaiflow_lab.service.storage import Storage, measure

app = typer.Typer(add_completion=False)

_NAMES: Final = {
    "database": "Database",
    "artifacts": "Values and files of runs",
    "runs": "Folders of runs",
    "logs": "Logs",
    "ballast": "Kept for a full disk",
    "free": "Free on the disk",
}


@app.command()
def storage(
    *,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what is not kept before it is measured.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the workspace takes on its disk.

    --clean removes runs that ended before `keep_days` of .iaiflow/config.toml, what is left of
    removed ones, and artifacts that nothing names. `iaiflow serve` does it each hour.
    """
    with open_session() as session:
        removal = retention.clean(session) if clean else None
        found = measure(session)
    if as_json:
        removed = None if removal is None else asdict(removal)
        print_json(asdict(found) | {"removed": removed})
        return
    if removal is not None:
        typer.echo(removal.sentence)
    _print(found)


def _print(found: Storage) -> None:
    sizes = asdict(found)
    rows = [(name, f"{sizes[key] / 1_000_000:,.1f} MB") for key, name in _NAMES.items()]
    print_table(("What", "Size"), rows)
    kept = "until you remove them" if found.keep_days is None else f"for {found.keep_days:g} days"
    typer.echo(f"{found.artifact_count:,} artifacts; runs that have ended are kept {kept}.")
