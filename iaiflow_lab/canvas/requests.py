"""Every request of a canvas by name: its arguments and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from iaiflow_lab.canvas import keeping, looking, running
from iaiflow_lab.canvas.desk import Answer, Desk
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model import file
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import WaitOutcome


class Hello(msgspec.Struct, frozen=True):
    """Introduces a canvas."""

    #: Of a document: its path as the host has it, and its text.
    path: str = ""
    text: str | None = None
    #: Tells this canvas from others through page reloads; "" when it does not say.
    client: str = ""


class Nothing(msgspec.Struct, frozen=True):
    """No arguments."""


class Text(msgspec.Struct, frozen=True):
    """The flow as the canvas has it."""

    text: str


class Edit(msgspec.Struct, frozen=True):
    """The flow after an edit."""

    text: str
    #: The number of the text that was edited.
    base: int


class Kept(msgspec.Struct, frozen=True):
    """A document that was saved."""

    path: str
    text: str


class Run(msgspec.Struct, frozen=True):
    """What to run."""

    text: str
    mode: running.RunMode = "all"
    nodes: list[str] = []
    inputs: dict[str, Any] = {}


class Nodes(msgspec.Struct, frozen=True):
    """Some nodes; none means all."""

    nodes: list[str] = []


class Path(msgspec.Struct, frozen=True):
    """A node, or a file."""

    path: str


class Port(msgspec.Struct, frozen=True):
    """An output of a node."""

    path: str
    port: str


class Value(msgspec.Struct, frozen=True):
    """A part of a value."""

    path: str
    kind: Literal["input", "output"]
    port: str
    offset: int = 0
    limit: int = 100


class Lines(msgspec.Struct, frozen=True):
    """A part of a log."""

    path: str
    offset: int = 0
    limit: int = 1_000


class Place(msgspec.Struct, frozen=True):
    """A node of the flow as the canvas has it."""

    text: str
    path: str


class Answered(msgspec.Struct, frozen=True):
    """An answer to a step that waits."""

    step: str
    outcome: WaitOutcome
    #: What the form asks for, or the signal's message.
    value: Any = None
    reason: str = ""


class SecretValue(msgspec.Struct, frozen=True):
    """A secret to keep."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"SecretValue({self.name!r})"


class Version(msgspec.Struct, frozen=True):
    """A saved version."""

    version: str


class Diff(msgspec.Struct, frozen=True):
    """A saved version and the flow as the canvas has it."""

    text: str
    since: str = msgspec.field(name="from")


@dataclass(frozen=True, slots=True)
class Request:
    """How one kind of request is answered."""

    arguments: type[msgspec.Struct]
    #: Returns the result, or the result and its buffers.
    answer: Callable[[Desk, Any], Any]
    #: Whether it may take long: it is answered beside others then.
    is_slow: bool = False
    #: Whether it shows what runs made: secrets are cut out of that.
    shows: bool = False


def _run(desk: Desk, asked: Run) -> dict[str, str]:
    flow = file.parse(asked.text)
    return {"run_id": running.start(desk, flow, asked.mode, asked.nodes, asked.inputs)}


def _clear_cache(desk: Desk, asked: Nodes) -> dict[str, int]:
    desk.board.fold()
    flow = desk.board.flow
    return {"cleared": 0 if flow is None else running.clear_cache(desk, flow, asked.nodes)}


def _stop(desk: Desk, _: Nothing) -> dict[str, Any]:
    running.stop(desk)
    return {}


def _answer(desk: Desk, asked: Answered) -> dict[str, Any]:
    running.answer(desk, asked.step, asked.outcome, asked.value, asked.reason)
    return {}


def _value(desk: Desk, asked: Value) -> Answer:
    return looking.value(
        desk, asked.path, asked.kind, asked.port, offset=asked.offset, limit=asked.limit
    )


def _diff(desk: Desk, asked: Diff) -> dict[str, Any]:
    old = keeping.version(desk, asked.since)
    return {"changes": keeping.changes(old, file.parse(asked.text))}


REQUESTS: Final[Mapping[str, Request]] = {
    "here": Request(Nothing, lambda _desk, _: {}),
    "edit": Request(Edit, lambda desk, asked: keeping.edit(desk, asked.text, asked.base)),
    "kept": Request(
        Kept, lambda desk, asked: {"version": keeping.kept(desk, asked.path, asked.text)}
    ),
    "run": Request(Run, _run),
    "stop": Request(Nothing, _stop),
    "answer": Request(Answered, _answer),
    "clear_cache": Request(Nodes, _clear_cache),
    "value": Request(Value, _value, is_slow=True, shows=True),
    "ports": Request(
        Path, lambda desk, asked: looking.ports(desk, asked.path), is_slow=True, shows=True
    ),
    "pin_value": Request(
        Port,
        lambda desk, asked: {"value": looking.pin_value(desk, asked.path, asked.port)},
        is_slow=True,
        shows=True,
    ),
    "bind": Request(Port, lambda desk, asked: looking.bind(desk, asked.path, asked.port)),
    "logs": Request(
        Lines,
        lambda desk, asked: looking.logs(desk, asked.path, asked.offset, asked.limit),
        is_slow=True,
        shows=True,
    ),
    "resolved": Request(
        Place,
        lambda desk, asked: {"config": looking.resolved(desk, file.parse(asked.text), asked.path)},
        is_slow=True,
        shows=True,
    ),
    "steps": Request(Nothing, lambda desk, _: looking.steps(desk), is_slow=True, shows=True),
    "versions": Request(
        Nothing,
        lambda desk, _: {"versions": keeping.versions(desk, desk.draft.text)},
        is_slow=True,
    ),
    "version": Request(
        Version,
        lambda desk, asked: {"text": file.dump(keeping.version(desk, asked.version))},
        is_slow=True,
    ),
    "diff": Request(Diff, _diff, is_slow=True),
    "python": Request(
        Text, lambda desk, asked: keeping.python(desk, file.parse(asked.text)), is_slow=True
    ),
    "secrets": Request(Nothing, lambda desk, _: {"names": keeping.secret_names(desk)}),
    "set_secret": Request(
        SecretValue, lambda desk, asked: {"name": keeping.set_secret(desk, asked.name, asked.value)}
    ),
    "body": Request(Path, lambda desk, asked: {"text": keeping.body(desk, asked.path)}),
}


def find(name: Any) -> Request:
    """Return how a request is answered.

    Raises:
        NotFoundError: There is no such request.
    """
    if name not in REQUESTS:
        raise NotFoundError(
            f"The kernel knows no request {name!r}.",
            remedy=did_you_mean(str(name), REQUESTS)
            or "Install the same version of iaiflow-lab for the canvas and for this kernel.",
            code="unknown-request",
        )
    return REQUESTS[name]


def arguments(kind: type[msgspec.Struct], given: Any) -> Any:
    """Return the arguments of a request, checked.

    Raises:
        InputError: One is missing or of another kind.
    """
    try:
        return msgspec.convert(given if given is not None else {}, kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"The canvas asked for {kind.__name__.lower()!r} with wrong arguments: {error}.",
            remedy="Install the same version of iaiflow-lab for the canvas and for this kernel.",
        ) from error
