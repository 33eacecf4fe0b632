"""Chats of pages reach this kernel over a comm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from iaiflow_agents.chat import kernel

#: The comm's target; pages open it.
TARGET: Final = "iaiflow.chat"


def register() -> str:
    """Let chats reach the kernel that runs this; asking again changes nothing.

    Returns:
        The version of `iaiflow_lab`.

    Raises:
        RuntimeError: This process is no kernel.
    """
    from importlib import metadata

    found = getattr(kernel.shell(), "kernel", None)
    if found is None:
        raise RuntimeError("A chat needs a running Jupyter kernel.")
    found.comm_manager.register_target(TARGET, _opened)
    return metadata.version("iaiflow-lab")


def _opened(comm: Any, message: Mapping[str, Any]) -> None:
    from iaiflow_agents.chat.chats import Chats
    from iaiflow_agents.chat.session import Session

    del message
    session = Session(Chats(), lambda said: comm.send(data=said))

    def receive(received: Mapping[str, Any]) -> None:
        session.receive(received["content"]["data"])

    def close(_: Mapping[str, Any]) -> None:
        session.close()

    comm.on_msg(receive)
    comm.on_close(close)
