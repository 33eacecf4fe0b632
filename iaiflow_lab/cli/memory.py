"""`iaiflow memory`: what agents of the workspace remember."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from iaiflow_lab.cli.output import (
    AsJson,
    local_time,
    one_line,
    plain,
    print_json,
    print_table,
)
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.moment import parse_past
from iaiflow_lab.service.memories import as_data, open_memory, refusals
from iaiflow_lab.service.schedule_when import local_zone

if TYPE_CHECKING:
    from iaiflow_memory import Item, Memory, Origin

app = typer.Typer(no_args_is_help=True, add_completion=False)

#: The columns that tell of a memory.
_CELLS: Final = ("When", "Who", "Id", "Memory")
#: Those that give way where the terminal is narrow, so that the text has room.
_GIVING: Final = ("When", "Who")
#: Environment variable: what clients of `iaiflow memory serve` have to say.
TOKEN: Final = "IAIFLOW_MEMORY_TOKEN"  # noqa: S105  its name

Id = Annotated[str, typer.Argument(metavar="ID", help="A memory's id.")]
Agent = Annotated[str, typer.Option(help="Whose: the agent.")]
User = Annotated[str, typer.Option(help="Whose: the person.")]
Conversation = Annotated[str, typer.Option(help="Whose: the conversation.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be repeated.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A label; may be repeated.")]
Subject = Annotated[str, typer.Option(help="Only what is about this.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")]
When = Annotated[
    str, typer.Option(metavar="TIME", help="2h, 1d (ago), 2026-12-01 or 2026-12-01T06:00.")
]


@app.callback()
def group() -> None:
    """Search, add to, correct and erase what agents of the workspace remember."""


@app.command()
def search(  # noqa: PLR0913  one for each option
    query: Annotated[str, typer.Argument(help='The question, or words; "" for the newest.')] = "",
    *,
    limit: Limit = 10,
    kind: Kinds = None,
    tag: Tags = None,
    subject: Subject = "",
    since: When = "",
    until: When = "",
    as_of: When = "",
    agent: Agent = "",
    user: User = "",
    thread: Conversation = "",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each was found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find memories, the best first."""
    with _opened(agent, user, thread) as memory:
        hits = memory.search(
            query,
            limit=limit,
            kinds=kind or (),
            tags=tag or (),
            subject=subject,
            since=_moment(since),
            until=_moment(until),
            as_of=_moment(as_of),
        )
    if as_json:
        reasons = {"why": memory.explain} if explain else {}
        print_json([as_data(hit) | {k: say(hit) for k, say in reasons.items()} for hit in hits])
    elif not hits:
        typer.echo("Nothing was found.", err=True)
    elif explain:
        typer.echo("\n\n".join(f"{hit.item.body}\n{memory.explain(hit)}" for hit in hits))
    else:
        rows = [(f"{hit.score:.2f}", *_cells(hit.item)) for hit in hits]
        print_table(("Score", *_CELLS), rows, giving=_GIVING)


@app.command()
def timeline(  # noqa: PLR0913  one for each option
    *,
    limit: Limit = 50,
    ended: Annotated[
        bool, typer.Option("--ended", help="Also what was forgotten or is so no longer.")
    ] = False,
    kind: Kinds = None,
    tag: Tags = None,
    subject: Subject = "",
    since: When = "",
    until: When = "",
    as_of: When = "",
    agent: Agent = "",
    user: User = "",
    thread: Conversation = "",
    as_json: AsJson = False,
) -> None:
    """Show memories in the order in which they were said, the newest first."""
    past = _moment(as_of)
    with _opened(agent, user, thread) as memory:
        items = memory.timeline(
            limit=limit,
            ended=ended,
            kinds=kind or (),
            tags=tag or (),
            subject=subject,
            since=_moment(since),
            until=_moment(until),
            as_of=past,
        )
    if as_json:
        print_json([as_data(item) for item in items])
    elif not items:
        typer.echo("Nothing was found.", err=True)
    else:
        rows = [(_said(item, past), *_cells(item)[1:]) for item in items]
        print_table(_CELLS, rows, giving=_GIVING)


@app.command()
def context(  # noqa: PLR0913  one for each option
    query: Annotated[str, typer.Argument(help="The question.")],
    *,
    budget: Annotated[int, typer.Option(help="How many tokens the text may have.")] = 2_000,
    limit: Limit = 50,
    kind: Kinds = None,
    tag: Tags = None,
    subject: Subject = "",
    since: When = "",
    until: When = "",
    as_of: When = "",
    agent: Agent = "",
    user: User = "",
    thread: Conversation = "",
    as_json: AsJson = False,
) -> None:
    """Find memories as text for a prompt, marked as recalled data."""
    with _opened(agent, user, thread) as memory:
        found = memory.context(
            query,
            budget,
            limit=limit,
            kinds=kind or (),
            tags=tag or (),
            subject=subject,
            since=_moment(since),
            until=_moment(until),
            as_of=_moment(as_of),
        )
    if as_json:
        print_json(as_data(found))
    elif found.text:
        typer.echo(found.text)
    else:
        typer.echo("Nothing was found.", err=True)


@app.command()
def add(  # noqa: PLR0913  one for each option
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    *,
    id_: Annotated[
        str | None, typer.Option("--id", help="Your own id; the same again changes nothing.")
    ] = None,
    role: Annotated[str, typer.Option(help="Who says it.")] = "",
    kind: Annotated[
        str, typer.Option(help="working, episodic, semantic or procedural.")
    ] = "episodic",
    subject: Annotated[str, typer.Option(help="What it is about.")] = "",
    tag: Tags = None,
    importance: Annotated[float, typer.Option(help="How much it matters, 0 to 1.")] = 0.5,
    at: When = "",
    agent: Agent = "",
    user: User = "",
    thread: Conversation = "",
    as_json: AsJson = False,
) -> None:
    """Remember a text; one that is there already is not stored again."""
    said = sys.stdin.read() if text == "-" else text
    with _opened(agent, user, thread) as memory:
        added = memory.add(
            said,
            id=id_,
            role=role,
            kind=kind,
            subject=subject,
            tags=tag or (),
            importance=importance,
            at=_moment(at),
        )
    if as_json:
        print_json(as_data(added))
    elif added.is_new:
        typer.echo(added.id)
    else:
        typer.echo(f"{added.same_as or added.id}  is there already")


@app.command()
def get(memory_id: Id, *, as_of: When = "", as_json: AsJson = False) -> None:
    """Show a memory as it is now, or was at a moment."""
    with _opened() as memory:
        item = memory.get(memory_id, _moment(as_of))
    if as_json:
        print_json(as_data(item))
        return
    print_table(("Version", *_CELLS), [(str(item.version), *_cells(item))])
    typer.echo(item.body)


@app.command()
def history(memory_id: Id, *, as_json: AsJson = False) -> None:
    """Show all versions of a memory."""
    with _opened() as memory:
        items = memory.history(memory_id)
    if as_json:
        print_json([as_data(item) for item in items])
    else:
        _print_versions(items)


@app.command()
def sources(memory_id: Id, *, as_of: When = "", as_json: AsJson = False) -> None:
    """Show what a memory comes from: the parts of what was told, and how it was drawn."""
    with _opened() as memory:
        origins = memory.sources(memory_id, _moment(as_of))
    if as_json:
        print_json([as_data(origin) for origin in origins])
        return
    rows = [
        (str(one.batch), one.episode.id, _told(one), plain(one_line(one.text, 500)))
        for one in origins
    ]
    print_table(("Batch", "Episode", "Told", "Text"), rows, giving=("Told",))


def _told(origin: Origin) -> Any:
    """Return when it was told, by whom, and how the memory was drawn from it."""
    how = " by ".join(filter(None, (origin.method, origin.model)))
    said = (local_time(origin.episode.at), origin.episode.role, how)
    return plain(", ".join(filter(None, said)))


@app.command()
def supersede(
    memory_id: Id,
    text: Annotated[str, typer.Argument(help="What is so from now on.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a new text take the place of a memory's; the old one stays in its history."""
    with _opened() as memory:
        item = memory.supersede(memory_id, text)
    if as_json:
        print_json(as_data(item))
    else:
        typer.echo(f"{item.id}  version {item.version}")


@app.command()
def forget(memory_id: Id, *, as_json: AsJson = False) -> None:
    """Let a memory no longer be found; its history stays. `erase` removes its text as well."""
    with _opened() as memory:
        stood = memory.forget(memory_id)
    if as_json:
        print_json({"id": memory_id, "forgotten": stood})
    else:
        typer.echo(f"{memory_id}  {'forgotten' if stood else 'was forgotten before'}")


@app.command()
def undo(
    batch: Annotated[
        int, typer.Argument(metavar="BATCH", help="What `sources` and `add --json` name.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Take back what one call wrote: what it changed or forgot stands again."""
    with _opened() as memory:
        undone = memory.undo(batch)
    if as_json:
        print_json(as_data(undone))
    elif undone.closed or undone.restored:
        typer.echo(
            f"{undone.closed:,} taken back, {undone.restored:,} as before; "
            f"`undo {undone.batch}` brings it back."
        )
    else:
        typer.echo(f"{batch}  has nothing to take back any more")


@app.command()
def erase(
    *,
    id_: Annotated[
        list[str] | None, typer.Option("--id", help="A memory's id; may be repeated.")
    ] = None,
    subject: Annotated[str, typer.Option(help="All that is about this.")] = "",
    agent: Agent = "",
    user: User = "",
    thread: Conversation = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase; else nothing is changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove memories with their history, so that no byte of their text is left in the file."""
    if not yes:
        raise InputError("What is erased can't be brought back.", remedy="Repeat it with --yes")
    with _opened() as memory:
        gone = memory.erase(id=id_ or (), subject=subject, agent=agent, user=user, thread=thread)
    if as_json:
        print_json(as_data(gone))
    else:
        typer.echo(f"{gone.items:,} versions and {gone.episodes:,} episodes are gone.")


@app.command()
def stats(*, as_json: AsJson = False) -> None:
    """Show how much there is."""
    with _opened() as memory:
        data = as_data(memory.stats())
    if as_json:
        print_json(data)
    else:
        print_table(("What", "How much"), [(key, _shown(value)) for key, value in data.items()])


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the Parquet files go.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write everything as Parquet files."""
    with _opened() as memory:
        moved = memory.export(folder)
    _print_moved(as_data(moved), as_json=as_json)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Where an export is.")], *, as_json: AsJson = False
) -> None:
    """Take in what was exported."""
    with _opened() as memory:
        moved = memory.load(folder)
    _print_moved(as_data(moved), as_json=as_json)


@app.command()
def serve(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Of this machine only; 0 for any that is free.")
    ] = 8_711,
) -> None:
    """Serve the memory to other machines, as `Memory("https://...", token=...)` speaks to it.

    It listens on 127.0.0.1; put a proxy that speaks https before it. IAIFLOW_MEMORY_TOKEN holds
    what clients have to say, 16 characters or more.
    """
    import uvicorn

    from iaiflow_lab.api.address import address_of, listen_on_port
    from iaiflow_memory.http import app_for

    token = os.environ.get(TOKEN)
    if token is None:
        raise InputError(
            "Clients have nothing to say that tells them from strangers.",
            where=TOKEN,
            remedy="Set it to a secret of 16 characters or more",
        )
    with _opened() as memory:
        served = app_for(memory.door, token)
        server = uvicorn.Server(uvicorn.Config(served, log_level="warning", ws="none"))
        with listen_on_port(port) as listener, suppress(KeyboardInterrupt):
            typer.echo(f"Serving the memory at {address_of(listener)}; Ctrl-C ends it.")
            server.run([listener])


@contextmanager
def _opened(agent: str = "", user: str = "", thread: str = "") -> Generator[Memory]:
    before = os.umask(0o077)  # what agents remember is for nobody else
    try:
        with refusals(), open_memory(serve=True) as memory:
            yield memory.scoped(agent=agent, user=user, thread=thread)
    finally:
        os.umask(before)


def _moment(text: str) -> float | None:
    return parse_past(text, local_zone(), time.time()) if text else None


def _cells(item: Item) -> tuple[Any, ...]:
    who = item.role or item.subject or item.kind
    return local_time(item.at), plain(who), item.id, plain(one_line(item.body, 500))


def _said(item: Item, as_of: float | None) -> str:
    """Return when it was said, and why it is no longer so, if it is not."""
    from iaiflow_memory.inspector.fields import Seen, as_stood, standing

    seen = Seen(time.time()) if as_of is None else Seen(as_of, as_of)
    state = standing(as_stood(item, seen), seen)
    return local_time(item.at) + (f", {state}" if state != "now" else "")


def _print_versions(items: Sequence[Item]) -> None:
    """Print versions on both axes of time: when each stood here, and when it is so."""
    times = ("Stood from", "Stood until", "So from", "So until")
    rows = [
        (
            str(item.version),
            *map(_time, (item.recorded_from, item.recorded_to, item.valid_from, item.valid_to)),
            plain(one_line(item.body, 500)),
        )
        for item in items
    ]
    print_table(("Version", *times, "Memory"), rows, giving=times)


def _time(moment: float) -> str:
    return local_time(moment) if math.isfinite(moment) else ""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in value.items()) or "none"  # type: ignore[reportUnknownVariableType]
    return f"{value:,}" if isinstance(value, int) else str(value) or "none"


def _print_moved(moved: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(moved)
    else:
        rows = ", ".join(f"{count:,} {table}" for table, count in moved["rows"].items())
        typer.echo(f"{moved['folder']}: {rows}")
