"""What a kernel and the worker behind it say to each other over their private socket.

A message is a length-prefixed JSON header and raw bytes. The kernel asks, the worker answers.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

import msgspec

from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.event import (
    AnyEvent,
    OutputRef,
    StepFinished,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)

#: Environment variable: path of the socket.
SOCKET: Final = "IAIFLOW_RUN_SOCKET"
#: Environment variable: the word that opens it.
TOKEN: Final = "IAIFLOW_RUN_TOKEN"  # noqa: S105  the variable's name

#: Largest header, in bytes.
_HEADER_LIMIT = 256_000_000
#: Largest body, in bytes.
_BODY_LIMIT = 4_000_000_000
_LENGTHS = struct.Struct(">QQ")


class Request(msgspec.Struct, frozen=True, tag_field="ask"):
    """Something that the kernel asks."""


class Hello(Request, frozen=True, tag="hello"):
    """Open the connection."""

    token: str


class OpenCall(Request, frozen=True, tag="call"):
    """A flow is about to run inside the notebook."""

    #: Id of the notebook cell; "" when it is not known.
    cell: str
    #: Version hash of the flow.
    version: str
    #: Hash of its inputs.
    inputs: str


class Append(Request, frozen=True, tag="append"):
    """Record events."""

    events: list[AnyEvent]


class AskAnswers(Request, frozen=True, tag="answers"):
    """Say how waits ended."""


class AskSecret(Request, frozen=True, tag="secret"):
    """Return a secret."""

    name: str


class AskRecorded(Request, frozen=True, tag="recorded"):
    """Say what all steps of the run have recorded."""

    #: A pattern that keys match as a whole.
    keys: str


class PutArtifact(Request, frozen=True, tag="put"):
    """Store the body."""


class GetArtifact(Request, frozen=True, tag="get"):
    """Return stored bytes as the body."""

    digest: str


class CacheGet(Request, frozen=True, tag="cache_get"):
    """Return cached outputs."""

    keys: list[str]


class CachePut(Request, frozen=True, tag="cache_put"):
    """Remember outputs."""

    key: str
    outputs: dict[str, OutputRef]
    ttl: float | None


class Answer(msgspec.Struct, frozen=True, tag_field="answer"):
    """What the worker answers."""


class Done(Answer, frozen=True, tag="done"):
    """It is done; the body, if any, is the result."""


class Welcome(Answer, frozen=True, tag="welcome"):
    """The connection is open."""

    run_id: str
    #: Path of the notebook's step.
    step: str
    attempt: int
    workspace: str
    folder: str
    run_dir: str
    #: Whether strangers may have written some of the notebook's parameters.
    untrusted: bool
    #: What models may take: in all of the run, and in parts of it.
    budgets: list[Allowance]


class Opened(Answer, frozen=True, tag="opened"):
    """How the steps of a flow call are named, and what is recorded of them."""

    prefix: str
    steps: list[StepFinished]
    substeps: list[SubstepRecorded]
    waits: list[StepWaiting]
    answers: list[WaitAnswered]


class Ended(Answer, frozen=True, tag="ended"):
    """How waits ended."""

    answers: list[WaitAnswered]


class Recorded(Answer, frozen=True, tag="recorded"):
    """What steps have recorded."""

    substeps: list[SubstepRecorded]


class Told(Answer, frozen=True, tag="told"):
    """A secret."""

    value: str
    #: Rises each time when it is set.
    version: int


class Stored(Answer, frozen=True, tag="stored"):
    """The SHA-256 of stored bytes, in hex."""

    digest: str


class Cached(Answer, frozen=True, tag="cached"):
    """Cached outputs by key."""

    outputs: dict[str, dict[str, OutputRef]]


class Refused(Answer, frozen=True, tag="refused"):
    """It could not be done: the fields of a `LabError`."""

    code: str
    what: str
    where: str = ""
    remedy: str = ""


AnyRequest = (
    Hello
    | OpenCall
    | Append
    | AskAnswers
    | AskSecret
    | AskRecorded
    | PutArtifact
    | GetArtifact
    | CacheGet
    | CachePut
)
AnyAnswer = Done | Welcome | Opened | Ended | Recorded | Told | Stored | Cached | Refused

_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(AnyRequest)
_answers = msgspec.json.Decoder(AnyAnswer)


class LostError(Exception):
    """The other side is gone, or says nothing sensible."""


def send(connection: socket.socket, message: Request | Answer, body: bytes = b"") -> None:
    """Send one message.

    Raises:
        LostError: The other side is gone.
    """
    header = _encoder.encode(message)
    try:
        connection.sendall(_LENGTHS.pack(len(header), len(body)) + header)
        if body:  # an answer to the header alone may have closed the connection by now
            connection.sendall(body)
    except OSError as error:
        raise LostError(str(error)) from error


def receive_request(connection: socket.socket) -> tuple[AnyRequest, bytes]:
    """Wait for a request and its body.

    Raises:
        LostError: The other side is gone, or says nothing sensible.
    """
    return _receive(connection, _requests)


def receive_answer(connection: socket.socket) -> tuple[AnyAnswer, bytes]:
    """Wait for an answer and its body.

    Raises:
        LostError: The other side is gone, or says nothing sensible.
    """
    return _receive(connection, _answers)


def _receive(connection: socket.socket, decoder: Any) -> tuple[Any, bytes]:
    try:
        lengths = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
        if lengths[0] > _HEADER_LIMIT or lengths[1] > _BODY_LIMIT:
            raise LostError("a message is too large")
        header = _exactly(connection, lengths[0])
        return decoder.decode(header), _exactly(connection, lengths[1])
    except (OSError, msgspec.MsgspecError) as error:
        raise LostError(str(error)) from error


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            raise LostError("the connection was closed")
        view = view[count:]
    return bytes(data)
