"""The door of a memory: what agents remember, in one file that many processes share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, Unpack, cast, overload

from iaiflow_memory import checking, verbs
from iaiflow_memory.clock import FOREVER, Moment, SystemClock, seconds
from iaiflow_memory.dense import Vector
from iaiflow_memory.errors import BadInput, Unavailable
from iaiflow_memory.ids import new_id
from iaiflow_memory.model import (
    Added,
    AsOf,
    Consolidated,
    Context,
    Drawn,
    Episode,
    Erased,
    Faded,
    Hit,
    Item,
    Moved,
    New,
    Origin,
    Query,
    Scope,
    Stats,
    Undone,
)
from iaiflow_memory.timeline import NEWEST

if TYPE_CHECKING:
    from concurrent.futures import Future

    from iaiflow_memory.consolidate import Drawing
    from iaiflow_memory.desk import Door
    from iaiflow_memory.embed import Embedder
    from iaiflow_memory.embedding import Embedding
    from iaiflow_memory.inspector.inspector import Inspector
    from iaiflow_memory.owner import Owner

#: Where a memory is when no place is given, below the current folder.
DEFAULT: Final = ".iaiflow/memory.duckdb"
#: Fields of a new memory, and of a change, that are moments.
_MOMENTS: Final = ("valid_from", "valid_to", "expires_at", "at")


class Telling(TypedDict, total=False):
    """What may be told with a new memory; see `New`."""

    #: The caller's own id, which makes a retry harmless.
    id: str | None
    #: Who says it: `user`, `assistant`, a name.
    role: str
    #: One of `KINDS`.
    kind: str
    #: What it is about.
    subject: str
    #: What is said about the subject.
    predicate: str
    #: A value as JSON knows it, beside or instead of the text.
    value: Any
    #: How sure it is, 0 to 1.
    confidence: float
    #: How much it matters, 0 to 1.
    importance: float
    #: Since when it is so.
    valid_from: Moment | None
    #: Until when it is so.
    valid_to: Moment | None
    #: When it is no longer found.
    expires_at: Moment | None
    #: Labels.
    tags: Sequence[str]
    #: More about the episode, as JSON knows it.
    meta: Mapping[str, Any] | None
    #: When it was said.
    at: Moment | None
    #: Where it comes from.
    source: str
    #: The run in which it was said.
    run_id: str
    #: The node of that run.
    node_id: str
    #: Whether a text that is there already is left out.
    once: bool


class Filters(TypedDict, total=False):
    """What limits a search."""

    #: Only these kinds.
    kinds: Sequence[str]
    #: Only what bears all of these labels.
    tags: Sequence[str]
    #: Only what is about this.
    subject: str
    #: Only what was so at or after this moment.
    since: Moment | None
    #: Only what was so before this moment.
    until: Moment | None
    #: The past: a moment at which it stood here, or a point on both axes.
    as_of: Moment | AsOf | None
    #: Whether the memory's own scope does not limit.
    everywhere: bool


class Memory:
    """A memory. Threads may share it.

    Exactly one process has the file open. That is a small process of its own, which is started
    when it is needed and ends when nobody is there; it never runs anybody's code.

    Args:
        path: The file, made when it is missing, or the `https://` address of a memory.
        project: What `add` files under, and what is found, read and changed; "" for no limit.
        agent: The same.
        user: The same.
        thread: The same.
        embedder: Finds by meaning as well: an embedder, or what `embed.embedder` makes one of.
        serve: Whether this very process owns the file and serves it to others, if nobody does.
            Only for programs that run no code of others.
        token: What a server at an address wants to hear.

    Raises:
        MemoryFault: The address or the embedder cannot be used, or a folder is given. A file is
            opened at its first use.
    """

    def __init__(
        self,
        path: str | Path = DEFAULT,
        *,
        project: str = "",
        agent: str = "",
        user: str = "",
        thread: str = "",
        embedder: str | Embedder | None = None,
        serve: bool = False,
        token: str = "",
    ) -> None:
        #: Whose memories are added and searched.
        self.scope = Scope(project, agent, user, thread)
        #: The file or the address.
        self.place = _place(str(path))
        self._embedder = _embedder(embedder)
        #: Does what is asked.
        self.door = _opened(str(path), serve=serve, token=token)
        self._embedding = None if self._embedder is None else _embed(self.door, self._embedder)

    def scoped(
        self,
        *,
        project: str | None = None,
        agent: str | None = None,
        user: str | None = None,
        thread: str | None = None,
    ) -> Memory:
        """Return the same memory with another scope; what is not given stays as it is."""
        given = {"project": project, "agent": agent, "user": user, "thread": thread}
        other = object.__new__(Memory)
        other.__dict__.update(self.__dict__)
        changes = {name: value for name, value in given.items() if value is not None}
        other.scope = replace(self.scope, **changes)
        return other

    @overload
    def add(self, text: str, **told: Unpack[Telling]) -> Added: ...
    @overload
    def add(self, text: Sequence[New], **told: Unpack[Telling]) -> list[Added]: ...
    def add(self, text: str | Sequence[New], **told: Unpack[Telling]) -> Added | list[Added]:
        """Remember a text, or several; it is on disk when this returns.

        What is there already, or was recalled from here, is not stored again.

        Args:
            text: The text, or memories of which all are stored, or none.
            **told: What else is known; see `New`.

        Raises:
            BadInput: A value cannot be used.
            MemoryFault: It could not be stored.
        """
        if isinstance(text, str):
            return self._add([New(text, **_tupled(told))])[0]
        if told:
            raise BadInput(f"{min(told)!r} belongs into each of the memories", where="add")
        return self._add(_news(text))

    def search(self, query: str, *, limit: int = 10, **filters: Unpack[Filters]) -> list[Hit]:
        """Return what answers a question best, best first.

        Args:
            query: The question, or words; "" for the newest.
            limit: How many at most.
            **filters: What limits the search; see `Filters`.
        """
        asked = self._query(query, limit, filters)
        return self.door.call("search", verbs.Search(asked, self._vector(query)))

    def context(
        self,
        query: str,
        budget: int = 2_000,
        *,
        limit: int = 50,
        count: Callable[[str], int] | None = None,
        **filters: Unpack[Filters],
    ) -> Context:
        """Return what answers a question as text for a prompt, marked as recalled data.

        Args:
            query: The question.
            budget: How many tokens the text may have.
            limit: How many memories at most.
            count: Counts tokens of a text; without it four characters are one.
            **filters: What limits the search; see `Filters`.
        """
        asked, vector = self._query(query, limit, filters), self._vector(query)
        if count is None:
            return self.door.call("context", verbs.Recall(asked, budget, vector))
        from iaiflow_memory import context

        hits = self.door.call("search", verbs.Search(asked, vector))
        made = context.build(hits, budget, count)
        shown = [(hit.item.n, context.line(hit.item)) for hit in made.hits]
        self.door.call("recalled", verbs.Recalled(shown, query))
        return made

    def timeline(
        self,
        *,
        limit: int = 50,
        before: Item | tuple[float, int] | None = None,
        ended: bool = False,
        **filters: Unpack[Filters],
    ) -> list[Item]:
        """Return memories in the order in which they were said, newest first.

        Args:
            limit: How many at most.
            before: The last one of the page before, or its place (`at`, `n`); None begins with
                the newest.
            ended: Whether those are there, too, that were forgotten or are so no longer: each by
                the version that stands, or stood last.
            **filters: What limits them; see `Filters`.
        """
        asked = self._query("", limit, filters)
        place = (before.at, before.n) if isinstance(before, Item) else before or NEWEST
        return self.door.call("timeline", verbs.Timeline(asked, place, ended))

    def get(self, id: str, as_of: Moment | AsOf | None = None) -> Item:  # noqa: A002
        """Return a memory as it is now, or was at a moment.

        Like all that is done with one memory, it sees those within the scope alone.

        Raises:
            NotFound: There is no such memory.
        """
        return self.door.call("get", verbs.Get(id, _point(as_of), self.scope))

    def sources(self, id: str, as_of: Moment | AsOf | None = None) -> list[Origin]:  # noqa: A002
        """Return what a memory comes from: the parts of what was told, and how it was drawn.

        Raises:
            NotFound: There is no such memory.
        """
        return self.door.call("sources", verbs.Get(id, _point(as_of), self.scope))

    def history(self, id: str) -> list[Item]:  # noqa: A002
        """Return all versions of a memory, in the order of writing.

        Raises:
            NotFound: There is no such memory.
        """
        return self.door.call("history", verbs.ById(id, self.scope))

    def as_of(self, moment: Moment | AsOf) -> Past:
        """Return the memory as it stood at a moment, to be read only."""
        return Past(self, moment)

    def supersede(
        self,
        id: str,  # noqa: A002
        text: str | None = None,
        *,
        of: Item | int | None = None,
        **changes: Any,
    ) -> Item:
        """Let a new version take the place of a memory; the old one stays in its history.

        Args:
            id: The memory.
            text: The new text; None leaves it.
            of: The version that was read, or its row (`n`): if another one is in its place by now,
                nothing is changed. None takes the place of any.
            **changes: What else is different: value, kind, subject, predicate, confidence,
                importance, valid_from, valid_to, expires_at, tags, source.

        Raises:
            Conflict: The memory was changed since `of` was read.
            NotFound: There is no such memory, it was forgotten, or has expired and `expires_at` is
                not changed.
        """
        given: dict[str, Any] = changes if text is None else {"text": text, **changes}
        for name in set(_MOMENTS) & set(given):
            given[name] = seconds(given[name], FOREVER, name)
        key = "" if of is None else new_id(SystemClock().now())  # the next owner is asked the same
        return self._written("supersede", verbs.Supersede(id, given, self.scope, _row(of), key))

    def forget(self, id: str, *, of: Item | int | None = None) -> bool:  # noqa: A002
        """Let a memory no longer be found; its history stays. Return whether it stood until now.

        Args:
            id: The memory.
            of: The version that was read, or its row (`n`): if another one is in its place by now,
                nothing is forgotten. None forgets any.

        Raises:
            Conflict: The memory was changed since `of` was read.
            NotFound: There is no such memory.
        """
        return self.door.call("forget", verbs.Forget(id, self.scope, _row(of)))

    def undo(self, batch: int) -> Undone:
        """Take back what one call wrote (`Added.batch`).

        Raises:
            NotFound: There is no such batch, or it changed what is of other scopes.
            BadInput: What it wrote was changed since.
        """
        return self.door.call("undo", verbs.Undo(batch, self.scope))

    def consolidate(self, model: Drawing, *, limit: int = 32) -> Consolidated:
        """Let a model read what it has not read yet of this scope, and write what it draws.

        The model runs here, and the call ends when it has; see `begin_consolidating`.

        Args:
            model: For instance `prompted.Prompted`.
            limit: How many episodes are read at most.

        Raises:
            MemoryFault: What was drawn cannot be written; it is as if it had not been read.
        """
        from iaiflow_memory.consolidate import consolidate

        return consolidate(_Consolidated(self.door), model, self.scope, limit=limit)

    def begin_consolidating(self, model: Drawing, *, limit: int = 32) -> Future[Consolidated]:
        """Do the same in a thread, and return what will come of it.

        Args:
            model: For instance `prompted.Prompted`.
            limit: How many episodes are read at most.
        """
        from iaiflow_memory.consolidate import begin

        return begin(_Consolidated(self.door), model, self.scope, limit=limit)

    def fade(
        self,
        *,
        half_life: float = 90.0,
        keep: float = 0.05,
        kinds: Sequence[str] = ("working", "episodic"),
    ) -> Faded:
        """Forget what matters little in this scope and was not used for long.

        Args:
            half_life: Days after which what is not used matters half as much.
            keep: What matters less than this, 0 to 1, is forgotten.
            kinds: The kinds of memory that may be forgotten.

        Raises:
            BadInput: An argument cannot be used.
        """
        return self.door.call("fade", verbs.Fade(self.scope, half_life, keep, tuple(kinds)))

    def erase(
        self,
        *,
        id: str | Sequence[str] = (),  # noqa: A002
        subject: str = "",
        agent: str = "",
        user: str = "",
        thread: str = "",
    ) -> Erased:
        """Remove memories with their history, so that no byte of their text is left in the file.

        Only within the memory's own scope, where it has one: what is of others is not erased.

        Args:
            id: A memory, or several.
            subject: All that is about this.
            agent: All of this agent.
            user: All of this person.
            thread: All of this conversation.

        Raises:
            BadInput: Nothing was named, or what belongs to another scope.
        """
        ids = _several(id, "id")
        named = {"agent": agent, "user": user, "thread": thread}
        if not (ids or subject or any(named.values())):
            raise BadInput(
                "Nothing is named that is to be erased",
                where="erase",
                remedy="name ids, a subject, or whose: agent, user, thread",
            )
        scope = replace(self.scope, **{name: value for name, value in named.items() if value})
        _refuse_beyond(self.scope, scope)
        return self.door.call("erase", verbs.Erase(ids, subject, scope))

    def export(self, folder: str | Path) -> Moved:
        """Write everything as Parquet files.

        Raises:
            BadInput: The memory is on another machine.
        """
        return self.door.call("export", verbs.Folder(str(Path(folder).absolute())))

    def load(self, folder: str | Path) -> Moved:
        """Take in what was exported.

        Raises:
            BadInput: It is no export, or the memory is on another machine.
        """
        return self.door.call("load", verbs.Folder(str(Path(folder).absolute())))

    def stats(self) -> Stats:
        """Return how much there is."""
        return self.door.call("stats", verbs.Nothing())

    def explain(self, hit: Hit) -> str:
        """Return why a memory was found, in words."""
        from iaiflow_memory.explain import explain

        return explain(hit)

    @property
    def embedder(self) -> str:
        """The id of the model that finds by meaning; "" for none."""
        return "" if self._embedder is None else self._embedder.model_id

    def inspect(self, *, height: int = 520) -> Inspector:
        """Return a view of the memory for a notebook: timeline, search, history, changes.

        A cell that ends with it shows it; one that ends with the memory itself does so, too. What
        is shown comes from the kernel when it is looked at: the notebook's file gets counts, never
        a text, so that what is erased here is not left there. Reading a timeline counts as no use
        of a memory; what a search finds counts, as everywhere.

        Args:
            height: Of the view, in pixels.

        Raises:
            Unavailable: `anywidget` is not installed, or the view was not built.
        """
        from iaiflow_memory.inspector.inspector import Inspector

        return Inspector(self, height=height)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the memory at a cell's end: to look into where that can be, else as counts."""
        del include, exclude  # the front end takes what it likes best
        from iaiflow_memory.inspector.inspector import bundle

        return bundle(self)

    def close(self) -> None:
        """Let go of the file; its owner ends by itself. Closing twice is harmless."""
        if self._embedding is not None:
            self._embedding.close()
        self.door.close()

    def __repr__(self) -> str:
        scope = {name: part for name, part in asdict(self.scope).items() if part}
        return f"Memory({', '.join([repr(self.place), *(f'{k}={v!r}' for k, v in scope.items())])})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _add(self, news: Sequence[New]) -> list[Added]:
        now = SystemClock().now()
        named = [_in_seconds(new, now) for new in news]
        return self._written("add", verbs.Add(self.scope, named))

    def _written(self, verb: str, arguments: Any) -> Any:
        result = self.door.call(verb, arguments)
        if self._embedding is not None:
            self._embedding.notice()
        return result

    def _query(self, text: str, limit: int, filters: Filters) -> Query:
        _refuse_unknown(filters, Filters, "search")
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise BadInput(f"A question is a text, not {type(text).__name__}", where="search")
        return Query(
            text,
            self.scope,
            limit,
            kinds=tuple(map(checking.kind, _several(filters.get("kinds", ()), "kinds"))),
            tags=_several(filters.get("tags", ()), "tags"),
            subject=filters.get("subject", ""),
            since=seconds(filters.get("since"), -FOREVER, "since"),
            until=seconds(filters.get("until"), FOREVER, "until"),
            as_of=_point(filters.get("as_of")),
            everywhere=filters.get("everywhere", False),
        )

    def _vector(self, query: str) -> Vector | None:
        if self._embedder is None or not query.strip():
            return None
        return Vector.of(self._embedder.model_id, self._embedder.embed_query(query))


class Past:
    """A memory as it stood at a moment.

    Args:
        memory: The memory.
        moment: The moment, or a point on both axes of time.
    """

    def __init__(self, memory: Memory, moment: Moment | AsOf) -> None:
        self._memory = memory
        self._moment = moment

    def get(self, id: str) -> Item:  # noqa: A002
        """Return a memory as it was.

        Raises:
            NotFound: It was not there.
        """
        return self._memory.get(id, self._moment)

    def search(self, query: str, *, limit: int = 10, **filters: Unpack[Filters]) -> list[Hit]:
        """Return what would have answered a question best; see `Memory.search`."""
        filters["as_of"] = self._moment
        return self._memory.search(query, limit=limit, **filters)

    def timeline(
        self,
        *,
        limit: int = 50,
        before: Item | tuple[float, int] | None = None,
        ended: bool = False,
        **filters: Unpack[Filters],
    ) -> list[Item]:
        """Return memories as they were, newest first; see `Memory.timeline`."""
        filters["as_of"] = self._moment
        return self._memory.timeline(limit=limit, before=before, ended=ended, **filters)

    def inspect(self, *, height: int = 520) -> Inspector:
        """Return a view of the past for a notebook, to be read only; see `Memory.inspect`."""
        from iaiflow_memory.inspector.inspector import Inspector

        return Inspector(self._memory, moment=_point(self._moment), height=height)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the past at a cell's end; see `Memory.inspect`."""
        del include, exclude  # the front end takes what it likes best
        from iaiflow_memory.inspector.inspector import bundle

        return bundle(self._memory, _point(self._moment))


class Hosted:
    """The door of a process that owns the file itself, and serves others beside.

    Args:
        owner: The owner; it has begun to listen.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._pid = os.getpid()
        self._thread = Thread(target=owner.run, name="memory-owner", daemon=True)
        self._thread.start()

    def call(self, verb: str, arguments: Any) -> Any:
        """Return what comes of a verb, or raise a `MemoryFault`."""
        if self._pid != os.getpid():
            raise Unavailable("The file is open in another process", remedy="Open the memory again")
        from iaiflow_memory.protocol import encode, plain

        # as from another process: of the same types, or refused in the same sentence
        given = plain(encode(arguments), verbs.VERBS[verb].arguments)
        return self._owner.desk.call(verb, given)

    def close(self) -> None:
        """Serve nobody any more, and close the file."""
        self._owner.stop()
        self._thread.join()
        self._owner.close()


class _Consolidated:
    """A memory as a consolidation sees it."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def unread(self, model: str, scope: Scope, limit: int) -> list[Episode]:
        return self._door.call("unread", verbs.Unread(model, scope, limit))

    def search(self, query: Query) -> list[Hit]:
        return self._door.call("search", verbs.Search(query))

    def settle(
        self, model: str, scope: Scope, drawn: Sequence[Drawn], read: Sequence[int]
    ) -> Consolidated:
        key = new_id(SystemClock().now())  # the next owner is asked the same again
        return self._door.call("settle", verbs.Settle(model, scope, drawn, read, key))


class _Behind:
    """A memory as the thread sees it that makes vectors."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def pending(self, model: str, limit: int) -> Sequence[tuple[int, str]]:
        return self._door.call("pending", verbs.Pending(model, limit))

    def put_vectors(self, model: str, vectors: Mapping[int, bytes]) -> int:
        return self._door.call("put_vectors", verbs.PutVectors(model, vectors))


def _place(path: str) -> str:
    is_address = path.startswith(("https://", "http://"))
    return path if is_address else str(Path(path).expanduser().absolute())


def _opened(path: str, *, serve: bool, token: str) -> Door:
    if path.startswith(("https://", "http://")):
        from iaiflow_memory.http import Remote

        return Remote(path, token)
    from iaiflow_memory.client import Client

    if "://" in path:  # not repeated: it may hold a password
        raise BadInput(
            "This is no address of a memory", remedy="Give a file, or https://HOST[:PORT][/PATH]"
        )
    database = Path(path).expanduser().absolute()
    if _is_folder(database):
        raise BadInput("This is a folder", where=str(database), remedy="name a file within it")
    if serve:
        from iaiflow_memory.serve import own

        if owner := own(database):
            return Hosted(owner)
    return Client(database)


def _refuse_beyond(limit: Scope, asked: Scope) -> None:
    """Refuse a scope that is not within another one."""
    parts = asdict(asked)
    for name, own in asdict(limit).items():
        if own and parts[name] != own:
            raise BadInput(
                f"This memory is that of the {name} {own!r}, and has nothing of {parts[name]!r}",
                where=name,
                remedy="open it with the scope to which that belongs",
            )


def _is_folder(database: Path) -> bool:
    """Say whether a folder is there; what cannot be looked at is told of at its first use."""
    try:
        return database.is_dir()
    except OSError:
        return False


def _embedder(given: str | Embedder | None) -> Embedder | None:
    return _named_embedder(given) if isinstance(given, str) else given


@lru_cache(maxsize=4)
def _named_embedder(spec: str) -> Embedder:
    """Return an embedder that all memories of this process share: it may take long to load."""
    from iaiflow_memory.embed import embedder

    return embedder(spec)


def _embed(door: Door, embedder: Embedder) -> Embedding:
    from iaiflow_memory.embedding import Embedding

    return Embedding(_Behind(door), embedder)


def _tupled(told: Telling) -> dict[str, Any]:
    _refuse_unknown(told, Telling, "add")
    fields = cast("dict[str, Any]", dict(told))
    return {**fields, "tags": _several(fields.get("tags", ()), "tags")}


def _news(given: Any) -> list[New]:
    """Return several memories that are to be added."""
    several = cast("Iterable[Any]", given) if isinstance(given, Iterable) else [given]
    news = list(several)
    if not all(isinstance(new, New) for new in news):
        raise BadInput(
            "What is added is a text, or a list of New",
            where="add",
            remedy="give add('...') or add([New('...'), New('...')])",
        )
    return news


def _refuse_unknown(given: Mapping[str, Any], kind: type[Any], where: str) -> None:
    unknown = sorted(set(given) - set(kind.__annotations__))
    if unknown:
        raise BadInput(
            f"There is no {unknown[0]!r}",
            where=where,
            remedy=f"Give {', '.join(kind.__annotations__)}",
        )


def _several(given: str | Sequence[str], where: str) -> tuple[str, ...]:
    """Return one text or several as several."""
    if not isinstance(given, str | Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadInput(f"{given!r} is neither a text nor a list of texts", where=where)
    return (given,) if isinstance(given, str) else tuple(given)


def _row(version: Item | int | None) -> int | None:
    return version.n if isinstance(version, Item) else version


def _in_seconds(new: New, now: float) -> New:
    given = {name: getattr(new, name) for name in _MOMENTS}
    moments = {k: seconds(value, now, k) for k, value in given.items() if value is not None}
    return replace(new, id=new.id or new_id(now), **moments)


def _point(as_of: Moment | AsOf | None) -> AsOf | None:
    if as_of is None:
        return None
    if not isinstance(as_of, AsOf):
        return AsOf(recorded=seconds(as_of, 0, "as_of"))
    valid, recorded = as_of.valid, as_of.recorded
    return AsOf(
        None if valid is None else seconds(valid, 0, "valid"),
        None if recorded is None else seconds(recorded, 0, "recorded"),
    )
