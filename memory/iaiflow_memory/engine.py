"""Everything that can be done with one file, by the process that owns it.

Arguments and results are plain data (model.py), so that they can come from another process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from iaiflow_memory import archive, context, drawing, embedding, history, search, stats, writing
from iaiflow_memory import erase as erasing
from iaiflow_memory import timeline as telling
from iaiflow_memory.checking import number
from iaiflow_memory.clock import Clock
from iaiflow_memory.dense import Vector
from iaiflow_memory.episodes import episode
from iaiflow_memory.errors import BadInput, Conflict, MemoryFault, NotFound
from iaiflow_memory.faults import Faults, no_faults
from iaiflow_memory.model import (
    ANY,
    Added,
    Answer,
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
    Request,
    Scope,
    Stats,
    Undone,
)
from iaiflow_memory.numbers import Numbers
from iaiflow_memory.postings import Postings
from iaiflow_memory.recall import Recall
from iaiflow_memory.scopes import Scopes
from iaiflow_memory.store import Reader, Store, Writer
from iaiflow_memory.vocabulary import Vocabulary
from iaiflow_memory.writing import Tools

#: The methods that `Engine.do` takes, each with how it is done within a transaction.
WRITES: Final[Mapping[str, Callable[..., Any]]] = {
    "supersede": history.supersede,
    "forget": history.forget,
    "undo": history.undo,
    "settle": drawing.settle,
    "fade": drawing.fade,
    "put_vectors": embedding.put_vectors,
    "tend": embedding.tend,
}


#: Notes of what was recalled wait for the next write, but not more than these.
_MOST_NOTES: Final = 5_000


class Engine:
    """One file and all that can be done with it. Threads may share it.

    Args:
        path: The file; it is made when it is missing.
        clock: Where the time comes from.
        faults: Told of every crash point.

    Raises:
        MemoryFault: The file cannot be opened; see `Store`.
    """

    def __init__(
        self, path: str | Path, *, clock: Clock | None = None, faults: Faults = no_faults
    ) -> None:
        #: The open file, for those who search in it.
        self.store = Store(path, clock=clock, faults=faults)
        try:
            erasing.finish(self.store)
            self._recall = Recall()
            with self.store.read() as reader:
                self._postings = Postings(reader)
                self._tools = self._make_tools(reader)
        except BaseException:
            self.store.close()
            raise

    def do(self, requests: Sequence[Request]) -> list[Answer]:
        """Do several writes as one transaction; one that is refused does not hinder the others.

        Args:
            requests: `add` (scope, news) or one of `WRITES`, in order.

        Returns:
            An answer for each request: what the method returns, or why it did nothing.

        Raises:
            MemoryFault: The file could not be written; none of the requests was done.
        """
        answers: list[Answer] = []
        with self._write() as writer:
            for verb, group in groupby(requests, key=lambda request: request.verb):
                if verb == "add":
                    asked = [(ask.arguments["scope"], ask.arguments["news"]) for ask in group]
                    answers += writing.add_all(writer, self._tools, asked)
                else:
                    answers += [self._one(writer, request) for request in group]
        if self._postings.is_due:
            self._sort()
        return answers

    def add(self, scope: Scope, news: Sequence[New]) -> list[Added]:
        """Add memories as one batch: all of them, or none.

        Args:
            scope: Whose they are.
            news: The memories.

        Raises:
            BadInput: A memory cannot be added, or its id belongs to another text.
        """
        return self._ask("add", scope=scope, news=news)

    def supersede(
        self,
        memory: str,
        changes: Mapping[str, Any],
        scope: Scope = ANY,
        of: int | None = None,
        key: str = "",
    ) -> Item:
        """Let a new version of a memory take the place of what stands; see `history.supersede`.

        Args:
            memory: The id.
            changes: What is different, by the names of `history.CHANGEABLE`.
            scope: Whose memories are changed; a part that is "" does not limit.
            of: The row of the version that has to be the present one; None takes any.
            key: A fresh id; who asks again with the same gets the same answer. "" is none.

        Raises:
            BadInput: A change cannot be made.
            Conflict: Another version is the present one.
            NotFound: There is no such memory, or it was forgotten.
        """
        return self._ask("supersede", memory=memory, changes=changes, scope=scope, of=of, key=key)

    def forget(self, memory: str, scope: Scope = ANY, of: int | None = None) -> bool:
        """Let a memory stand no longer; its history stays. Return whether it stood until now.

        Args:
            memory: The id.
            scope: Whose memories are forgotten; a part that is "" does not limit.
            of: The row of the version that has to be the present one; None takes any.

        Raises:
            Conflict: Another version is the present one.
            NotFound: There is no such memory.
        """
        return self._ask("forget", memory=memory, scope=scope, of=of)

    def undo(self, batch: int, scope: Scope = ANY) -> Undone:
        """Take a batch back: what it wrote stands no longer, what it closed stands again.

        Args:
            batch: The batch.
            scope: Whose memories it may have changed; a part that is "" does not limit.

        Raises:
            NotFound: There is no such batch.
            BadInput: A memory of the batch was changed since.
        """
        return self._ask("undo", batch=batch, scope=scope)

    def get(self, memory: str, as_of: AsOf | None = None, scope: Scope = ANY) -> Item:
        """Return the version of a memory that is so at a moment; see `history.get`.

        Args:
            memory: The id.
            as_of: The point of time; None is the present.
            scope: Whose memories are seen; a part that is "" does not limit.

        Raises:
            NotFound: There is no such version.
        """
        with self.store.read() as reader:
            return history.get(reader, memory, self.store.now(), as_of, scope)

    def sources(self, memory: str, as_of: AsOf | None = None, scope: Scope = ANY) -> list[Origin]:
        """Return from what a version of a memory comes; see `history.sources`.

        Args:
            memory: The id.
            as_of: The point of time; None is the present.
            scope: Whose memories and episodes are seen; a part that is "" does not limit.

        Raises:
            NotFound: There is no such version.
        """
        with self.store.read() as reader:
            version = history.get(reader, memory, self.store.now(), as_of, scope)
            return history.sources(reader, version, scope)

    def history(self, memory: str, scope: Scope = ANY) -> list[Item]:
        """Return all versions of a memory, past and present, in the order of writing.

        Args:
            memory: The id.
            scope: Whose memories are seen; a part that is "" does not limit.

        Raises:
            NotFound: There is no such memory.
        """
        with self.store.read() as reader:
            return history.history(reader, memory, scope)

    def search(self, query: Query, vector: Vector | None = None) -> list[Hit]:
        """Return the memories that answer a question best; see `search.search`.

        Args:
            query: The question and what limits it.
            vector: The question as an embedder sees it; None goes without.

        Raises:
            BadInput: The limit cannot be used, or the vector does not fit.
        """
        with self.store.read() as reader:
            now = self.store.now()
            hits = search.search(reader, query, now=now, vector=vector)
        self.recalled([(hit.item.n, hit.item.body) for hit in hits], query.text)
        return hits

    def timeline(
        self, query: Query, before: tuple[float, int] = telling.NEWEST, *, ended: bool = False
    ) -> list[Item]:
        """Return memories, newest first; see `timeline.timeline`.

        Args:
            query: What limits them, and how many at most.
            before: The place (`Item.at`, `Item.n`) of the last one of the page before.
            ended: Whether those are there, too, that stand or are so no longer.

        Raises:
            BadInput: The limit cannot be used.
        """
        with self.store.read() as reader:
            now = self.store.now()
            return telling.timeline(reader, query, now=now, before=before, ended=ended)

    def context(self, query: Query, budget: int = 2_000, vector: Vector | None = None) -> Context:
        """Return what answers a question as text for a prompt; see `context.build`.

        Args:
            query: The question and what limits it.
            budget: How many tokens the text may have.
            vector: The question as an embedder sees it; None goes without.

        Raises:
            BadInput: The limit or the budget cannot be used, or the vector does not fit.
        """
        found = context.build(self.search(query, vector), budget)
        lines = [(hit.item.n, context.line(hit.item)) for hit in found.hits]
        self.recalled(lines, query.text)
        return found

    def pending(self, model: str, limit: int) -> list[tuple[int, str]]:
        """Return rows without a vector of a model, with the text to embed; the newest first.

        Vectors of a model that this one has taken the place of are dropped; see `embedding.tend`.
        """
        with self.store.read() as reader:
            waiting = embedding.pending(reader, model, limit)
            is_whole, now = not waiting, self.store.now()
            is_to_tend = embedding.is_to_tend(reader, model, now, is_whole=is_whole)
        if is_to_tend:
            self._ask("tend", model=model)
        return waiting

    def put_vectors(self, model: str, vectors: Mapping[int, bytes]) -> int:
        """Store vectors (`Vector.data`) by row, and return how many were new.

        Raises:
            BadInput: A vector has another number of components than those stored.
        """
        return self._ask("put_vectors", model=model, vectors=vectors)

    def recalled(self, texts: Sequence[tuple[int, str]], question: str = "") -> None:
        """Note what was recalled, so that it is not stored again as new.

        Args:
            texts: The row of the memory and the text that was shown, for each.
            question: What was asked.

        Raises:
            BadInput: A row is none.
        """
        checked = [(number(row, "recalled"), text) for row, text in texts]
        self._recall.note(checked, question, self.store.now())
        if self._recall.count() >= _MOST_NOTES:
            self._flush()

    def episode(self, memory: str, scope: Scope = ANY) -> Episode:
        """Return an episode by its id (`Item.episode_id`).

        Args:
            memory: The id.
            scope: Whose episodes are seen; a part that is "" does not limit.

        Raises:
            NotFound: There is no such episode.
        """
        with self.store.read() as reader:
            return episode(reader, memory, scope)

    def erase(
        self, ids: Sequence[str] = (), subject: str = "", scope: Scope | None = None
    ) -> Erased:
        """Erase memories so that their bytes are gone from the disk; see `erase.erase`.

        Args:
            ids: Only these memories; none does not limit.
            subject: Only what is about this; "" does not limit.
            scope: Only in this scope; a part that is "" does not limit.

        Raises:
            BadInput: Nothing says what to erase.
        """
        try:
            return erasing.erase(
                self.store, self._tools.numbers, ids=ids, subject=subject, scope=scope or Scope()
            )
        finally:
            self._forget_names()

    def unread(self, model: str, scope: Scope, limit: int) -> list[Episode]:
        """Return the next episodes of a scope that a model has not read; see `drawing.unread`."""
        with self.store.read() as reader:
            return drawing.unread(reader, model, scope, limit)

    def settle(
        self, model: str, scope: Scope, drawn: Sequence[Drawn], read: Sequence[int], key: str = ""
    ) -> Consolidated:
        """Write what a model has drawn as one batch; see `drawing.settle`.

        Args:
            model: The model's id.
            scope: Whose memories they are to be; they come from and replace what is within it.
            drawn: What was drawn.
            read: The `Episode.seq` that were read.
            key: A fresh id; who asks again with the same gets the same answer. "" is none.

        Raises:
            BadInput: A memory cannot be written, or comes from nothing.
            NotFound: A memory that is to be replaced does not stand, or there is no such episode.
        """
        return self._ask("settle", model=model, scope=scope, drawn=drawn, read=read, key=key)

    def fade(
        self,
        scope: Scope,
        half_life: float = 90.0,
        keep: float = 0.05,
        kinds: Sequence[str] = ("working", "episodic"),
    ) -> Faded:
        """Forget what matters little and was not used for long; see `drawing.fade`.

        Args:
            scope: Whose memories; a part that is "" does not limit.
            half_life: Days after which what is not used matters half as much.
            keep: What matters less than this, 0 to 1, is forgotten.
            kinds: The kinds of memory that may be forgotten.

        Raises:
            BadInput: An argument cannot be used.
        """
        return self._ask("fade", scope=scope, half_life=half_life, keep=keep, kinds=kinds)

    def export(self, folder: str | Path) -> Moved:
        """Write everything to a new folder of Parquet files; see `archive.export`.

        Raises:
            BadInput: The folder holds something.
        """
        return archive.export(self.store, folder)

    def load(self, folder: str | Path) -> Moved:
        """Add what an export holds; see `archive.load`.

        Raises:
            BadInput: The folder is no export, or a newer or damaged one; nothing was loaded.
        """
        try:
            moved = archive.load(self.store, self._tools.numbers, folder)
        finally:
            self._forget_names()
        with self.store.read() as reader:
            self._postings.count_again(reader)
        while self._postings.is_due:
            self._sort()
        return moved

    def stats(self) -> Stats:
        """Return how much there is of everything."""
        return stats.stats(self.store)

    def close(self) -> None:
        """Write down what was noted and close the file. Closing twice is harmless."""
        if self._recall.count() and not self.store.is_closed:
            self._flush()
        self.store.close()

    def _flush(self) -> None:
        """Write down what was recalled; nothing is refused because there is no room for it."""
        with contextlib.suppress(MemoryFault), self._write():
            pass

    def _sort(self) -> None:
        """Have searches read less of what has come; what was asked for is done without it, too."""
        with contextlib.suppress(MemoryFault), self.store.write() as writer:
            self._postings.sort(writer)
            self.store.faults("sort.before_commit")

    def _ask(self, verb: str, **arguments: Any) -> Any:
        answer = self.do([Request(verb, arguments)])[0]
        if answer.fault is not None:
            raise answer.fault
        return answer.value

    def _one(self, writer: Writer, request: Request) -> Answer:
        action = WRITES.get(request.verb)
        if action is None:
            return Answer(fault=BadInput(f"{request.verb!r} is nothing that can be done"))
        try:
            return Answer(action(writer, self._tools, **request.arguments))
        except (BadInput, Conflict, NotFound) as fault:  # raised before anything was written
            return Answer(fault=fault)

    @contextlib.contextmanager
    def _write(self) -> Generator[Writer]:
        try:
            with self.store.write() as writer:
                self._recall.flush(writer)
                yield writer
        except BaseException:
            self._forget_names()
            raise

    def _forget_names(self) -> None:
        self._tools.vocabulary.clear()
        self._tools.scopes.clear()

    def _make_tools(self, reader: Reader) -> Tools:
        numbers = Numbers(reader)
        vocabulary = Vocabulary(numbers, self._postings)
        return Tools(numbers, vocabulary, Scopes(numbers), self._recall)
