"""What people approved of MCP servers: how each is started, and what each of its tools says."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab.errors import InputError
from iaiflow_lab.safe.load import safe_load

#: The file beside config.toml.
FILE: Final = "mcp-pins.json"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What was approved of one server."""

    #: Digest of how it is started or reached.
    identity: str
    #: Digest of each tool's definition, by name; None: they were not listed yet.
    tools: Mapping[str, str] | None


class Pins:
    """The approvals of a workspace; processes may use them at the same time.

    Args:
        folder: The state folder of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def of(self, server: str) -> Pinned | None:
        """Return what was approved of a server; None: nothing.

        Raises:
            InputError: The file is broken.
        """
        found = self._read().get(server)
        return None if found is None else Pinned(found["identity"], found.get("tools"))

    def trust(self, server: str, identity: str) -> None:
        """Remember that a server may be started, or reached, like this."""
        with self._changed() as pins:
            known = pins.setdefault(server, {})
            known["identity"] = identity

    def pin(self, server: str, tools: Mapping[str, str]) -> None:
        """Remember what tools of a server say, by name; others of it stay as they are."""
        with self._changed() as pins:
            known = pins.setdefault(server, {"identity": ""})
            known["tools"] = {**(known.get("tools") or {}), **tools}

    @contextmanager
    def _changed(self) -> Generator[dict[str, dict[str, Any]]]:
        """Give what stands in the file, and put it there as it is afterwards."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        made = self._file.with_name(f".{secrets.token_hex(8)}.json")
        with self._file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            pins = self._read()
            yield pins
            text = json.dumps({"version": 1, "servers": pins}, indent=2, sort_keys=True) + "\n"
            try:
                handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8") as opened:
                    opened.write(text)
                made.replace(self._file)
            finally:
                made.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            data = safe_load(self._file.read_bytes(), where=str(self._file))
        except FileNotFoundError:
            return {}
        servers = cast("dict[str, Any]", data).get("servers") if isinstance(data, dict) else None
        if not isinstance(servers, dict) or not all(
            _is_pin(pin) for pin in cast("dict[str, Any]", servers).values()
        ):
            raise InputError(
                "This file does not say which MCP servers were approved.",
                where=str(self._file),
                remedy="Remove it; each server and tool is asked about again then",
            )
        return cast("dict[str, dict[str, Any]]", servers)


def _is_pin(pin: Any) -> bool:
    if not isinstance(pin, dict):
        return False
    given = cast("dict[str, Any]", pin)
    tools: Any = given.get("tools", {})
    return isinstance(given.get("identity"), str) and isinstance(tools, dict)
