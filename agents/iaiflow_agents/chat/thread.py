"""A conversation with an agent: a tree of exchanges, of which one branch is shown. Pure data.

It is written to its file, and said to pages, in the same form; `extension/src/core/chat.ts` is
their side. What models read of an exchange stands in the file only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from iaiflow_agents import blocks

#: What files of threads say of themselves.
FORMAT: Final = "chat/1"
#: Ids of threads and exchanges: they name files and come from pages.
ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}\Z"
#: Characters of a title that is made of the first question.
_TITLE: Final = 60

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
State = Literal["sending", "working", "done", "stopped", "failed"]
#: In which an answer may still come.
OPEN: Final[frozenset[State]] = frozenset({"sending", "working"})


class NodeAgent(msgspec.Struct, frozen=True, tag_field="kind", tag="node"):
    """An agent that is a node of a flow."""

    #: The flow's file in the workspace.
    flow: str
    #: The node.
    path: str


class KernelAgent(msgspec.Struct, frozen=True, tag_field="kind", tag="kernel"):
    """An agent of the kernel."""

    #: The variable's name.
    name: str


ChatAgent = NodeAgent | KernelAgent


class Table(msgspec.Struct, frozen=True, tag_field="kind", tag="table"):
    """A variable of the notebook; `sql` sees it under its name."""

    name: str


class Image(msgspec.Struct, frozen=True, tag_field="kind", tag="image"):
    """A picture."""

    name: str
    media_type: str
    #: Base64.
    data: str


class File(msgspec.Struct, frozen=True, tag_field="kind", tag="file"):
    """A file of the workspace."""

    path: str


Attachment = Table | Image | File


class Exchange(msgspec.Struct, frozen=True):
    """A question and what came of it."""

    id: Id
    #: The exchange that it goes on from; None: it begins the thread.
    parent: str | None
    #: Seconds since the Unix epoch.
    sent_at: float
    text: str
    attachments: tuple[Attachment, ...] = ()
    state: State = "working"
    #: The run that answers; "" before it is known.
    run_id: str = ""
    #: The `agent-trace/1` as JSON; "" before there is one.
    trace: str = ""
    #: Why there is no answer, in a sentence.
    fault: str = ""
    #: What the next question goes on with: the question and all that the agent said and was told.
    messages: tuple[dict[str, Any], ...] = ()
    #: Whether `messages` stand for all that was said before, too: it was made shorter.
    is_whole: bool = False
    #: Whether words of strangers are among them.
    untrusted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.state in OPEN


class Thread(msgspec.Struct, frozen=True):
    """A conversation."""

    id: Id
    agent: ChatAgent
    #: Seconds since the Unix epoch.
    created_at: float
    #: What people call it; "" shows the first question.
    title: str = ""
    exchanges: tuple[Exchange, ...] = ()
    #: Which exchange is shown after another one; after "", which one begins. Else the newest.
    chosen: dict[str, str] = {}
    format: Literal["chat/1"] = FORMAT

    def __post_init__(self) -> None:
        known: set[str | None] = {None}
        for exchange in self.exchanges:
            if exchange.parent not in known or exchange.id in known:
                raise ValueError(f"the exchange {exchange.id!r} has no place in it")
            known.add(exchange.id)

    def find(self, id_: str | None) -> Exchange | None:
        """Return an exchange; None when there is none."""
        return next((one for one in self.exchanges if one.id == id_), None)

    @property
    def changed_at(self) -> float:
        """When something was asked last, in seconds since the Unix epoch."""
        return max((one.sent_at for one in self.exchanges), default=self.created_at)


# -- changes: each returns a new thread -----------------------------------------------------------


def asked(thread: Thread, exchange: Exchange) -> Thread:
    """Return the thread with a question more, which is shown."""
    exchanges = (*thread.exchanges, exchange)
    return shown(msgspec.structs.replace(thread, exchanges=exchanges), exchange)


def shown(thread: Thread, exchange: Exchange) -> Thread:
    """Return the thread as it shows this version of an exchange."""
    chosen = {**thread.chosen, exchange.parent or "": exchange.id}
    return msgspec.structs.replace(thread, chosen=chosen)


def told(thread: Thread, id_: str, **news: Any) -> Thread:
    """Return the thread with what is known anew of an exchange."""
    exchanges = tuple(
        msgspec.structs.replace(one, **news) if one.id == id_ else one for one in thread.exchanges
    )
    return msgspec.structs.replace(thread, exchanges=exchanges)


def without(thread: Thread, id_: str) -> Thread:
    """Return the thread without an exchange on which none follows."""
    exchanges = tuple(one for one in thread.exchanges if one.id != id_)
    chosen = {after: one for after, one in thread.chosen.items() if one != id_}
    return msgspec.structs.replace(thread, exchanges=exchanges, chosen=chosen)


# -- readings -------------------------------------------------------------------------------------


def branch_to(thread: Thread, id_: str | None) -> list[Exchange]:
    """Return an exchange and those before it, the first one first."""
    made: list[Exchange] = []
    while (found := thread.find(id_)) is not None:
        made.insert(0, found)
        id_ = found.parent
    return made


def shown_branch(thread: Thread) -> list[Exchange]:
    """Return the exchanges that are shown."""
    return list(_shown(thread))


def _shown(thread: Thread) -> Iterator[Exchange]:
    last: str | None = None
    while there := [one for one in thread.exchanges if one.parent == last]:
        wanted = thread.chosen.get(last or "")
        found = next((one for one in there if one.id == wanted), there[-1])
        yield found
        last = found.id


def conversation(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    """Return what was said in exchanges that follow one another, verbatim."""
    messages: list[dict[str, Any]] = []
    for exchange in exchanges:
        messages = [*([] if exchange.is_whole else messages), *exchange.messages]
    return messages


def answer_of(exchange: Exchange) -> str:
    """Return what the agent said last to a question; "" when nothing."""
    last = exchange.messages[-1] if exchange.messages else None
    if last is not None and last["role"] == "assistant":
        return blocks.text_of(last["content"])
    trace: dict[str, Any] = json.loads(exchange.trace) if exchange.trace else {}
    texts = [turn["text"] for turn in trace.get("turns", []) if turn["text"]]
    return texts[-1] if texts else ""


def title_of(thread: Thread) -> str:
    """Return what a thread is called."""
    said = thread.exchanges[0].text.strip() if thread.exchanges else ""
    line = said.partition("\n")[0]
    short = f"{line[: _TITLE - 1]}…" if len(line) > _TITLE else line
    return thread.title or short


# -- what pages are told --------------------------------------------------------------------------


def thread_data(thread: Thread) -> dict[str, Any]:
    """Return a thread as pages have it."""
    made: dict[str, Any] = msgspec.to_builtins(thread)
    del made["format"]
    for exchange in made["exchanges"]:
        for own in ("messages", "is_whole", "untrusted"):
            del exchange[own]
    return made


def thread_info(thread: Thread) -> Mapping[str, Any]:
    """Return a thread as lists show it."""
    return {
        "id": thread.id,
        "agent": msgspec.to_builtins(thread.agent),
        "title": title_of(thread),
        "created_at": thread.created_at,
        "changed_at": thread.changed_at,
        "count": len(thread.exchanges),
        "state": thread.exchanges[-1].state if thread.exchanges else "",
    }
