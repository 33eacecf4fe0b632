"""What goes into a memory and comes out of it. Pure data.

Moments are seconds since the Unix epoch (UTC); an interval holds its start and not its end;
`FOREVER` (infinity) is the end of one that has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iaiflow_memory.clock import FOREVER, Moment

#: What kinds of memory there are: of the task at hand, what happened, what is so, how to do.
KINDS: Final = ("working", "episodic", "semantic", "procedural")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose memory it is. In a memory "" means none, in a filter it means any."""

    #: The project.
    project: str = ""
    #: The agent.
    agent: str = ""
    #: The person.
    user: str = ""
    #: The conversation.
    thread: str = ""


#: The scope that limits nothing.
ANY: Final = Scope()


@dataclass(frozen=True, slots=True)
class New:
    """A memory to be added. Only the text (or a value) must be given."""

    #: The text, verbatim.
    text: str = ""
    #: The caller's own id, which makes a retry harmless; None makes one.
    id: str | None = None
    #: Who says it: `user`, `assistant`, a name.
    role: str = ""
    #: One of `KINDS`.
    kind: str = "episodic"
    #: What it is about.
    subject: str = ""
    #: What is said about the subject.
    predicate: str = ""
    #: A value as JSON knows it, beside or instead of the text.
    value: Any = None
    #: How sure it is, 0 to 1.
    confidence: float = 1.0
    #: How much it matters, 0 to 1.
    importance: float = 0.5
    #: Since when it is so; None means since `at`.
    valid_from: Moment | None = None
    #: Until when it is so; None means until further notice.
    valid_to: Moment | None = None
    #: When it is no longer found; None means never.
    expires_at: Moment | None = None
    #: Labels.
    tags: tuple[str, ...] = ()
    #: More about the episode, as JSON knows it.
    meta: Mapping[str, Any] | None = None
    #: When it was said; None means now.
    at: Moment | None = None
    #: Where it comes from: a file, an address.
    source: str = ""
    #: The run in which it was said.
    run_id: str = ""
    #: The node of that run.
    node_id: str = ""
    #: Whether a text that is there already is left out; False stores it once more.
    once: bool = True


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a text that was to be added."""

    #: The id under which it was to be stored.
    id: str
    #: Whether it is a memory of its own now.
    is_new: bool
    #: The id of the memory that says the same, or "".
    same_as: str = ""
    #: What `undo` takes it back by.
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One version of a memory."""

    #: The row: rises with writing, never used twice.
    n: int
    #: The memory.
    id: str
    #: The version, from 1.
    version: int
    #: One of `KINDS`.
    kind: str
    #: What it is about, or "".
    subject: str
    #: What is said about the subject, or "".
    predicate: str
    #: The text.
    body: str
    #: The value, or None.
    value: Any
    #: How sure it is, 0 to 1.
    confidence: float
    #: How much it matters, 0 to 1.
    importance: float
    #: Since when it is so.
    valid_from: float
    #: Until when it is so.
    valid_to: float
    #: Since when it stands here.
    recorded_from: float
    #: Until when it stood here.
    recorded_to: float
    #: The row of the version that it takes the place of, or 0.
    supersedes: int
    #: When it is no longer found.
    expires_at: float
    #: Labels.
    tags: tuple[str, ...]
    #: Whose it is.
    scope: Scope
    #: The episode from which it comes, or "".
    episode_id: str
    #: Who said it, or "".
    role: str
    #: When it was said.
    at: float
    #: Where it comes from, or "".
    source: str


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that was said or done, as it was told. Never changed."""

    #: Its place in the order of telling.
    seq: int
    #: Its id.
    id: str
    #: Whose it is.
    scope: Scope
    #: Who said it, or "".
    role: str
    #: The text, verbatim.
    body: str
    #: More about it.
    meta: Mapping[str, Any]
    #: The run in which it was said, or "".
    run_id: str
    #: The node of that run, or "".
    node_id: str
    #: When it was said.
    at: float
    #: When it was told to the memory.
    recorded_at: float


@dataclass(frozen=True, slots=True)
class AsOf:
    """A point on both axes of time."""

    #: What was so at this moment. None: at that of `recorded`.
    valid: Moment | None = None
    #: As it stood in the memory at this moment. None: now.
    recorded: Moment | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    #: The question or words.
    text: str
    #: Whose memories are searched.
    scope: Scope = field(default_factory=Scope)
    #: How many hits at most.
    limit: int = 10
    #: Only these kinds; empty is all.
    kinds: tuple[str, ...] = ()
    #: Only what bears all of these labels.
    tags: tuple[str, ...] = ()
    #: Only what is about this.
    subject: str = ""
    #: Only what was so at or after this moment.
    since: float = -FOREVER
    #: Only what was so before this moment.
    until: float = FOREVER
    #: The point of time; None is the present.
    as_of: AsOf | None = None
    #: Whether the scope does not limit.
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that was found."""

    #: The memory.
    item: Item
    #: The higher, the better it fits; comparable within one answer only.
    score: float
    #: What the score is made of.
    parts: Mapping[str, float]
    #: The terms of the question that it holds.
    terms: tuple[str, ...] = ()
    #: What was said before and after it.
    near: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Recalled memories as text for a prompt."""

    #: The text, marked as recalled data.
    text: str
    #: The memories in it.
    hits: tuple[Hit, ...]
    #: About how many tokens the text has.
    tokens: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone for good."""

    #: How many versions of memories.
    items: int
    #: How many episodes.
    episodes: int
    #: The size of the file before, in bytes.
    bytes_before: int
    #: The size of the file now, in bytes.
    bytes_after: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What was exported or loaded."""

    #: The folder.
    folder: str
    #: How many rows, by table.
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a batch that was taken back."""

    #: The batch.
    batch: int
    #: How many versions were closed.
    closed: int
    #: How many versions stand again.
    restored: int


@dataclass(frozen=True, slots=True)
class Source:
    """The part of an episode from which something was drawn."""

    #: The id of the episode.
    episode: str
    #: Where the part begins, in characters.
    span_from: int = 0
    #: Where it ends; None is the end of the episode.
    span_to: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A part of an episode from which a version of a memory comes."""

    #: The episode.
    episode: Episode
    #: The part's text.
    text: str
    #: How: `verbatim`, `same` (told again), `supersede`, `drawn`, `confirmed` (drawn again) or
    #: `undo`.
    method: str
    #: The model that has drawn it, or "".
    model: str
    #: The batch by which it was written; `undo` takes it.
    batch: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A memory that a model draws from episodes, or puts in the place of others."""

    #: The text.
    text: str
    #: From what it was drawn.
    sources: tuple[Source, ...] = ()
    #: The ids of memories that it takes the place of: duplicates, parts, or what is so no more.
    replaces: tuple[str, ...] = ()
    #: One of `KINDS`.
    kind: str = "semantic"
    #: What it is about.
    subject: str = ""
    #: What is said about the subject.
    predicate: str = ""
    #: A value as JSON knows it.
    value: Any = None
    #: How sure it is, 0 to 1.
    confidence: float = 0.8
    #: How much it matters, 0 to 1.
    importance: float = 0.5
    #: Since when it is so. None: since it was said, or since what it replaces was so.
    valid_from: Moment | None = None
    #: Labels.
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What a consolidation did."""

    #: What `undo` takes it back by; 0 if nothing was written.
    batch: int
    #: How many episodes were read.
    read: int
    #: The ids of the memories that were drawn.
    drawn: tuple[str, ...] = ()
    #: The ids of memories that said the same already.
    confirmed: tuple[str, ...] = ()
    #: The ids of the memories that were replaced.
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Faded:
    """What was forgotten because it matters little and was not used for long."""

    #: What `undo` takes it back by; 0 if nothing was forgotten.
    batch: int
    #: How many memories.
    forgotten: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How much there is."""

    #: Memories that stand now.
    memories: int
    #: Versions of memories, present and past.
    versions: int
    #: Episodes.
    episodes: int
    #: Different terms.
    terms: int
    #: Postings.
    postings: int
    #: Scopes that hold memories.
    scopes: int
    #: Memories that stand now, by kind.
    kinds: Mapping[str, int]
    #: Vectors, by the model that made them. Those of a model go that nobody has asked for in a
    #: week while another one has them all.
    vectors: Mapping[str, int]
    #: The model that was asked for last; "" for none.
    embedder: str
    #: The size of the file and its log, in bytes.
    bytes: int
    #: The version of the schema.
    schema: int
    #: The id of the file; two workspaces never share one.
    workspace: str


@dataclass(frozen=True, slots=True)
class Request:
    """A write that waits for its turn."""

    #: The name of a method of `Engine` in `engine.WRITES`.
    verb: str
    #: Its arguments.
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    #: What the method returned.
    value: Any = None
    #: Why it did nothing, or None.
    fault: Exception | None = None
