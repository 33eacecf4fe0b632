"""What a fork server, its kernels and those who take them say to each other.

Each message is one packet on a Unix socket: a JSON object, and descriptors beside it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

#: Environment variable: path of the server's socket.
SOCKET: Final = "IAIFLOW_WARM_KERNELS"
#: Room for the largest packet, which holds an environment, in bytes.
_LARGEST: Final = 1_000_000
#: Most descriptors in one packet.
_DESCRIPTORS: Final = 4
#: Flags of a packet for whose data or descriptors there was no room.
_CUT: Final = socket.MSG_TRUNC | socket.MSG_CTRUNC
#: Process, user and group of the other side, as the system gives them.
_CREDENTIALS: Final = struct.Struct("iII")
#: What a process reads only when it starts: a kernel that began with others is no match.
STARTING_VARIABLES: Final = ("PYTHON", "IPYTHON", "LD_", "LC_", "LANG", "HOME", "MALLOC_")


class WireError(Exception):
    """The other side is gone, or says nothing sensible."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return _roomy(ours), _roomy(theirs)


def new_socket() -> socket.socket:
    """Return a socket that can be bound or connected."""
    return _roomy(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))


def _roomy(line: socket.socket) -> socket.socket:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
    return line


def send(line: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message; never blocks.

    That the other side is gone is noticed where it is heard: what it said before is read there.

    Raises:
        WireError: The message is too large, or too much waits to be heard.
    """
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))
    try:
        # not `socket.send_fds`: in Python 3.11 it passes no flags on
        data = json.dumps(message).encode()
        line.sendmsg([data], [rights], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except (BrokenPipeError, ConnectionResetError):
        pass
    except (OSError, ValueError) as error:
        raise WireError(str(error)) from error


def peek(line: socket.socket) -> dict[str, Any]:
    """Return the message that has arrived and leave it there, for whoever looks next.

    Raises:
        WireError: The other side is gone, or says nothing sensible.
    """
    message, descriptors = receive(line, socket.MSG_PEEK)
    close_all(descriptors)
    return message


def receive(line: socket.socket, how: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Return the message that has arrived, and the descriptors that came with it.

    Args:
        line: The connection.
        how: Flags for the system's call.

    Raises:
        WireError: The other side is gone, or says nothing sensible.
    """
    descriptors: list[int] = []
    try:
        data, descriptors, flags = _take(line, how)
        message = json.loads(data) if data and not flags & _CUT else None
    except (OSError, ValueError) as error:
        close_all(descriptors)
        raise WireError(str(error)) from error
    if not isinstance(message, dict):
        close_all(descriptors)
        raise WireError("the connection was closed")
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return message, descriptors  # type: ignore[return-value]


def _take(line: socket.socket, how: int) -> tuple[bytes, list[int], int]:
    """Return a packet, its descriptors and flags; unlike `socket.recv_fds`, by flags of ours."""
    descriptors = array("i")
    room = socket.CMSG_LEN(_DESCRIPTORS * descriptors.itemsize)
    try:
        data, rights, flags, _ = line.recvmsg(_LARGEST, room, how)
    except ConnectionResetError:  # it did not hear us out; what it said before is still there
        data, rights, flags, _ = line.recvmsg(_LARGEST, room, how)
    for level, kind, found in rights:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(found[: len(found) - len(found) % descriptors.itemsize])
    return data, descriptors.tolist(), flags


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def is_own(line: socket.socket) -> bool:
    """Say whether the other side is a process of the same user."""
    size = _CREDENTIALS.size
    _, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user == os.geteuid()


def starting_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that a process reads only when it starts."""
    found = {n: v for n, v in environment.items() if n.startswith(STARTING_VARIABLES)}
    if not Path(found.get("IPYTHONDIR", os.curdir)).exists():
        del found["IPYTHONDIR"]  # where nothing is, nothing is set
    return found
