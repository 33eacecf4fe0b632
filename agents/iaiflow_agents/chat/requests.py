"""Everything that a page may ask of a chat, by its verb: its arguments and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from iaiflow_agents.chat.thread import Attachment, ChatAgent, Id
from iaiflow_lab.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from iaiflow_agents.chat.chats import Chats

Short = Annotated[str, msgspec.Meta(max_length=1_000)]


class Nothing(msgspec.Struct, frozen=True):
    """No arguments."""


class Hello(msgspec.Struct, frozen=True):
    """Introduces a page."""

    #: Listed first.
    agent: ChatAgent | None = None


class OneThread(msgspec.Struct, frozen=True):
    """A thread."""

    id: Id


class Begin(msgspec.Struct, frozen=True):
    """A new thread."""

    agent: ChatAgent


class Rename(msgspec.Struct, frozen=True):
    """A thread's new name."""

    id: Id
    title: Short


class Show(msgspec.Struct, frozen=True):
    """The version of an exchange that is to be shown."""

    id: Id
    exchange: Id


class Ask(msgspec.Struct, frozen=True):
    """A question."""

    thread: Id
    #: The page's name for what is asked.
    exchange: Id
    text: str
    #: The exchange that it goes on from; None: it begins the thread.
    parent: str | None = None
    attachments: tuple[Attachment, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """A run."""

    run_id: str


class Answer(msgspec.Struct, frozen=True):
    """An answer to a step of a run that waits."""

    run_id: str
    #: The step's path; `STEP#KEY` names one of its waits.
    step: str
    outcome: Literal["approved", "refused", "answered"]
    value: Any = None
    reason: str = ""


class Files(msgspec.Struct, frozen=True):
    """A part of paths."""

    prefix: Short = ""


class Memories(msgspec.Struct, frozen=True):
    """What is looked for in the memory of an agent."""

    agent: ChatAgent
    #: "": the newest.
    query: Short = ""


class Forget(msgspec.Struct, frozen=True):
    """A memory of an agent."""

    agent: ChatAgent
    id: Short


@dataclass(frozen=True, slots=True)
class Request:
    """How one verb is answered."""

    arguments: type[msgspec.Struct]
    #: Returns the result.
    answer: Callable[[Chats, Any], Any]
    #: Whether it may take long: it is answered beside others then.
    is_slow: bool = False
    #: What is done with the result when the page has it.
    afterwards: Callable[[Chats, Any], None] | None = None


def _done(result: None) -> dict[str, Any]:
    """Return what a page is told of what is only done."""
    del result
    return {}


REQUESTS: Final[Mapping[str, Request]] = {
    "hello": Request(Hello, lambda chats, asked: chats.hello(asked.agent)),
    "thread": Request(
        OneThread,
        lambda chats, asked: chats.thread(asked.id),
        afterwards=lambda chats, found: chats.tell_open(found["thread"]),
    ),
    "begin": Request(Begin, lambda chats, asked: chats.begin(asked.agent)),
    "rename": Request(Rename, lambda chats, asked: _done(chats.rename(asked.id, asked.title))),
    "remove": Request(OneThread, lambda chats, asked: _done(chats.remove(asked.id))),
    "show": Request(Show, lambda chats, asked: _done(chats.show(asked.id, asked.exchange))),
    "ask": Request(Ask, lambda chats, asked: {"run_id": chats.ask(asked)}, is_slow=True),
    "stop": Request(Run, lambda chats, asked: _done(chats.stop(asked.run_id))),
    "answer": Request(Answer, lambda chats, asked: _done(chats.answer(asked))),
    "tables": Request(Nothing, lambda chats, _: chats.tables(), is_slow=True),
    "files": Request(Files, lambda chats, asked: chats.files(asked.prefix), is_slow=True),
    "memories": Request(
        Memories, lambda chats, asked: chats.memories(asked.agent, asked.query), is_slow=True
    ),
    "forget": Request(
        Forget, lambda chats, asked: _done(chats.forget(asked.agent, asked.id)), is_slow=True
    ),
    "export": Request(
        OneThread, lambda chats, asked: {"path": chats.export(asked.id)}, is_slow=True
    ),
}


def find(verb: Any) -> Request:
    """Return how a verb is answered.

    Raises:
        NotFoundError: There is no such verb.
    """
    found = REQUESTS.get(verb) if isinstance(verb, str) else None
    if found is None:
        raise NotFoundError(
            f"A chat knows no request {str(verb)[:80]!r}.",
            remedy="Install the same version of iaiflow-lab for the page and for this kernel.",
            code="unknown-request",
        )
    return found


def arguments(kind: type[msgspec.Struct], given: Any) -> Any:
    """Return the arguments of a request, checked.

    Raises:
        InputError: One is missing or of another kind.
    """
    try:
        return msgspec.convert({} if given is None else given, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"This can't be asked: {error}.", code="arguments-invalid") from error
