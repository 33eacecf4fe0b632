"""A user unit of systemd that serves a workspace from login on, or from the machine's start."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.settings import STATE_DIR, state_dir

#: What starts all units of a user that are enabled.
_TARGET: Final = "default.target"
#: How long a server may take to end after its runs have, in seconds.
_LAST_S: Final = 15
_UNIT: Final = """\
[Unit]
Description=IAI Flow Lab serves {described}

[Service]
Type=simple
WorkingDirectory={folder}
{environment}ExecStart={command}
Restart=on-failure
RestartSec=5
# Its own processes are ended by the server: runs end first.
KillMode=mixed
TimeoutStopSec={patience_s}

[Install]
WantedBy={target}
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit and where it belongs."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """What `systemctl --user` calls it."""
        return self.path.name


def unit_for(workspace: Path, command: Sequence[str], grace_s: float) -> Unit:
    """Return the unit that serves a workspace.

    Args:
        workspace: Its folder.
        command: The program and its arguments.
        grace_s: Seconds that runs may take to end when the unit is stopped.

    Raises:
        InputError: This is no Linux, or a unit cannot name the folder.
    """
    _check(workspace)
    is_moved = bool(os.environ.get(STATE_DIR))
    environment = {STATE_DIR: str(state_dir(workspace))} if is_moved else {}
    text = _UNIT.format(
        described=_specified(str(workspace)),
        folder=_specified(str(workspace)),
        environment=_environment(environment),
        command=" ".join([_quoted(command[0]), *(_argument(each) for each in command[1:])]),
        patience_s=round(grace_s) + _LAST_S,
        target=_TARGET,
    )
    return Unit(unit_path(workspace), text)


def unit_path(workspace: Path) -> Path:
    """Return where the unit of a workspace belongs; its name tells workspaces apart."""
    place = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    title = re.sub(r"[^\w.-]+", "-", workspace.name, flags=re.ASCII)[:40]
    mark = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:8]
    return Path(place, "systemd", "user", f"iaiflow-{title}-{mark}.service")


def install(unit: Unit) -> None:
    """Write a unit; one that is there already is replaced.

    Raises:
        InputError: It cannot be written.
    """
    temporary = unit.path.with_suffix(".part")
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(unit.text, encoding="utf-8")
        temporary.replace(unit.path)
    except OSError as error:
        raise _unwritable(unit.path, error) from error


def uninstall(workspace: Path) -> Path:
    """Remove the unit of a workspace, and what starts it by itself; returns where it was.

    Raises:
        NotFoundError: There is none.
        InputError: It cannot be removed.
    """
    path = unit_path(workspace)
    try:
        (path.parent / f"{_TARGET}.wants" / path.name).unlink(missing_ok=True)
        path.unlink()
    except FileNotFoundError:
        raise NotFoundError("No unit serves this workspace.", where=str(path)) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    with suppress(OSError):  # others may have something there
        (path.parent / f"{_TARGET}.wants").rmdir()
    return path


def _check(workspace: Path) -> None:
    if sys.platform != "linux":
        raise InputError(
            "Only systemd on Linux is known here.",
            remedy="docs/service.md shows how launchd and the Task Scheduler do it",
        )
    name = str(workspace)
    if not name.isprintable() or name != name.strip() or name.endswith("\\"):
        raise InputError(
            "A unit of systemd cannot name this folder.",
            where=repr(name),
            remedy="Serve a folder without line breaks, and without spaces at the end of its name",
        )


def _environment(values: Mapping[str, str]) -> str:
    return "".join(f"Environment={_quoted(f'{name}={v}')}\n" for name, v in values.items())


def _specified(text: str) -> str:
    """Return text in which `%` means nothing to systemd."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """Return text as one word for systemd, whatever is in it."""
    escaped = _specified(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(text: str) -> str:
    """Return an argument of a command; in these, `$` names variables."""
    return _quoted(text.replace("$", "$$"))


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"The unit cannot be written: {error.strerror}.", where=str(path))
