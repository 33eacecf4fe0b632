"""What an owner and its clients say to each other.

Each message is a frame: its length in four bytes, then msgpack. A vector is a run of raw 32-bit
floats in it. Over HTTP the same messages are bodies.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, Final, TypeVar

import msgspec

from iaiflow_memory.errors import FAULTS, BadInput, MemoryFault, Unavailable

#: Version of what is said. It rises with every verb and field: both sides speak the same one, as
#: what one does not know, such as whose memories may be seen, the other would take as done.
VERSION: Final = 3
#: Largest message, in bytes.
LARGEST: Final = 64 * 1024 * 1024

_LENGTH: Final = struct.Struct("!I")
_Kind = TypeVar("_Kind")


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A client's first message."""

    #: The version that it speaks.
    version: int
    #: What it read beside the socket.
    token: str
    #: The identity of the lock that it found.
    place: str


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The owner's answer to a client that may go on."""

    #: Its process.
    pid: int


class Call(msgspec.Struct, frozen=True, tag="call"):
    """Something to be done."""

    #: A name in `verbs.VERBS`.
    verb: str
    #: Its arguments, encoded.
    arguments: msgspec.Raw
    #: The version that the caller speaks, where nobody said hello.
    version: int = VERSION


class Result(msgspec.Struct, frozen=True, tag="result"):
    """What came of a call."""

    #: The value, encoded.
    value: msgspec.Raw


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why something was not done."""

    #: The kind of fault.
    code: str
    #: What is wrong.
    what: str
    #: The place.
    where: str = ""
    #: What to do next.
    remedy: str = ""
    #: Whether the other side serves another file than the one that is meant.
    is_elsewhere: bool = False

    @classmethod
    def of(cls, fault: MemoryFault) -> Refusal:
        """Return a fault as a message."""
        return cls(fault.code, fault.what, fault.where, fault.remedy)

    def fault(self) -> MemoryFault:
        """Return the fault that the message tells of."""
        kind = FAULTS.get(self.code, MemoryFault)
        return kind(self.what, where=self.where, remedy=self.remedy)


Message = Hello | Welcome | Call | Result | Refusal

_MESSAGES: Final = msgspec.msgpack.Decoder(Message)


class Closed(ConnectionError):  # noqa: N818  an end is no error
    """The other side is gone."""


class TooLarge(Exception):  # noqa: N818  it becomes a fault where one knows what is too large
    """A message is larger than the other side takes."""


def encode(value: Any) -> bytes:
    """Return a message, or a part of one, as bytes.

    Raises:
        BadInput: It holds something that is no plain data.
    """
    try:
        return msgspec.msgpack.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput(f"This can't be kept: {error}", remedy="Give what JSON knows") from error


def decode(data: bytes | bytearray) -> Message:
    """Return the message that bytes hold.

    Raises:
        BadInput: They hold none.
    """
    try:
        return _MESSAGES.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadInput(f"This is no message of a memory: {error}") from error


def plain(data: msgspec.Raw | bytes, kind: type[_Kind]) -> _Kind:
    """Return a part of a message as what it has to be.

    Raises:
        BadInput: It is something else.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadInput(f"This can't be read: {error}") from error


def result_of(data: bytes | bytearray, kind: type[_Kind]) -> _Kind:
    """Return what came of a call.

    Raises:
        MemoryFault: It was refused.
    """
    message = decode(data)
    if isinstance(message, Refusal):
        raise message.fault()
    if not isinstance(message, Result):
        raise Unavailable("The memory's owner answers what nobody asked for")
    return plain(message.value, kind)


def send(line: socket.socket, data: bytes) -> None:
    """Send one message.

    Raises:
        TooLarge: It is; nothing was sent.
        OSError: The other side is gone.
    """
    if len(data) > LARGEST:
        raise TooLarge
    line.sendall(_LENGTH.pack(len(data)) + data)


def receive(line: socket.socket, largest: int = LARGEST) -> bytearray:
    """Return the next message.

    Args:
        line: The connection.
        largest: How many bytes it may have.

    Raises:
        Closed: There is none any more.
        TooLarge: It is; the connection is of no use then.
    """
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > largest:
        raise TooLarge
    return _exactly(line, length)


def _exactly(line: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = line.recv_into(view)
        if not got:
            raise Closed("the connection was closed")
        view = view[got:]
    return data
