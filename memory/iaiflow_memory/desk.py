"""Does what is asked of an open memory: by threads of this process, a socket or HTTP."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

import msgspec

from iaiflow_memory.errors import BadInput, MemoryFault, Unavailable
from iaiflow_memory.group import GroupCommit
from iaiflow_memory.model import Answer, Request
from iaiflow_memory.protocol import (
    LARGEST,
    VERSION,
    Call,
    Refusal,
    Result,
    decode,
    encode,
    plain,
)
from iaiflow_memory.verbs import VERBS


class Door(Protocol):
    """Does what is asked: in this process, through the owner's socket, or over HTTP."""

    def call(self, verb: str, arguments: Any) -> Any:
        """Return what comes of a verb, or raise a `MemoryFault`.

        Args:
            verb: A name in `verbs.VERBS`.
            arguments: Of the type that stands there.
        """
        ...

    def close(self) -> None:
        """Let go of what is behind the door."""
        ...


class Doing(Protocol):
    """An open memory: it has a method for each verb besides."""

    def do(self, requests: Sequence[Request]) -> list[Answer]:
        """Do writes in one transaction; one that fails does not hinder the others."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class Desk:
    """Does calls. Writes that wait together are one transaction; reads wait for nobody.

    Args:
        engine: The open memory.
    """

    def __init__(self, engine: Doing) -> None:
        self._engine = engine
        self._writes = GroupCommit[Request, Answer](engine.do)

    def call(self, verb: str, arguments: Any) -> Any:
        """Return what comes of a verb.

        Args:
            verb: A name in `verbs.VERBS`.
            arguments: Of the type that stands there.

        Raises:
            MemoryFault: It is refused.
        """
        given = {one.name: getattr(arguments, one.name) for one in fields(arguments)}
        if not VERBS[verb].is_write:
            return getattr(self._engine, verb)(**given)
        (answer,) = self._writes.do([Request(verb, given)])
        if answer.fault is not None:
            raise answer.fault
        return answer.value

    def close(self) -> None:
        """Close the memory."""
        self._engine.close()


def answer(door: Door, data: bytes | bytearray, *, from_afar: bool = False) -> bytes:
    """Return the answer to a message; whatever goes wrong is a refusal.

    Args:
        door: Does what is asked.
        data: The message.
        from_afar: Whether it comes from another machine, whose files are others.
    """
    try:
        result = encode(Result(msgspec.Raw(_result(door, data, from_afar=from_afar))))
    except MemoryFault as fault:
        return encode(Refusal.of(fault))
    except Exception as error:
        what = f"The memory failed: {type(error).__name__}: {error}"
        return encode(Refusal(Unavailable.code, what, remedy="This is a defect; report it"))
    if len(result) > LARGEST:
        what = f"The answer has {len(result):,} bytes, more than {LARGEST:,}"
        return encode(Refusal(BadInput.code, what, remedy="Ask for less at once"))
    return result


def _result(door: Door, data: bytes | bytearray, *, from_afar: bool) -> bytes:
    call = decode(data)
    if not isinstance(call, Call):
        raise BadInput("This is no call")
    check_version(call.version)
    verb = VERBS.get(call.verb)
    if verb is None:
        raise BadInput(f"A memory knows no {call.verb!r}", remedy="Upgrade its owner")
    if from_afar and verb.is_local:
        raise BadInput(
            f"{call.verb!r} works on files of the machine where the memory is", remedy="Do it there"
        )
    return encode(door.call(call.verb, plain(call.arguments, verb.arguments)))


def check_version(theirs: int) -> None:
    """Refuse another version of what is said.

    Raises:
        Unavailable: It is another one.
    """
    if theirs == VERSION:
        return
    owner = f"its owner, process {os.getpid()} on {socket.gethostname()}"
    raise Unavailable(
        f"The memory's owner speaks version {VERSION}, and this program version {theirs}",
        remedy="Upgrade this program, and restart it (in a notebook: the kernel)"
        if theirs < VERSION
        else f"Upgrade {owner}, and end it: the next begins by itself, unless it is a server",
    )
