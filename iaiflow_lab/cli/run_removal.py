"""`iaiflow runs rm`: remove runs that have ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from iaiflow_lab.cli.output import AsJson, print_json
from iaiflow_lab.cli.views import print_summaries
from iaiflow_lab.service import Session, history, open_session, retention

#: How many of the runs are listed before they are removed.
_SHOWN: Final = 20


def rm(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Ids, or their first characters.")
    ] = None,
    *,
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="All that ended longer ago, such as 30d.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; else they are listed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove runs that have ended, with their logs, folders, and artifacts that no other needs.

    Without --yes, nothing is removed: the runs are listed.
    """
    with open_session() as session:
        ids = retention.chosen(session, runs or (), older_than)
        removal = retention.remove(session, ids) if yes else None
        if removal is None and not as_json:
            _list(session, ids)
    if as_json:
        print_json({"runs": ids, "removed": None if removal is None else asdict(removal)})
    elif removal is not None:
        typer.echo(removal.sentence)


def _list(session: Session, ids: list[str]) -> None:
    if not ids:
        typer.echo("No run that may be removed ended so long ago.")
        return
    print_summaries(history.get(session, run_id) for run_id in ids[:_SHOWN])
    more = f" ({len(ids) - _SHOWN:,} of them not listed)" if len(ids) > _SHOWN else ""
    runs = "1 run" if len(ids) == 1 else f"{len(ids):,} runs"
    typer.echo(f"{runs}{more}; nothing was removed: repeat it with --yes.")
