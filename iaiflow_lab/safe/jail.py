"""The one way to run Python that somebody else wrote: in a process of its own, shut in.

Inside there is no network, no environment, no file but Python itself and an own folder, no other
process, and an end to time, memory and output. bubblewrap does it, else Landlock with a filter of
system calls; where there is neither, nothing is run unless the caller insists.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from iaiflow_lab.errors import NotAllowedError

Isolation = Literal["bubblewrap", "landlock", "none"]

#: Most output that is kept, in bytes.
MAX_OUTPUT: Final = 256 * 1024
#: Most memory, in bytes; largest file that is written; most open files.
MAX_MEMORY: Final = 4 * 1024**3
_MAX_FILE: Final = 64 * 1024**2
_MAX_OPEN: Final = 256
#: How long the attempt may take whether a jail works, in seconds.
_PROBE: Final = 30.0
#: What every Python program may read besides Python's own folders.
_SYSTEM: Final = (
    "/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/alternatives", "/etc/ssl/openssl.cnf",
)  # fmt: skip
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_MACHINE: Final = (
    "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu", "/sys/fs/cgroup",
)  # fmt: skip
_CODE: Final = "code.py"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of code that was run."""

    #: What shut it in.
    isolation: Isolation
    #: Its exit status; negative: the signal that ended it.
    status: int
    #: What it printed, errors included.
    output: str
    #: Whether it printed more than is kept.
    is_cut: bool
    #: Whether its time was up.
    is_late: bool
    #: How long it took, in seconds.
    seconds: float


@cache
def isolation() -> Isolation:
    """Return what can shut code in on this machine; it is tried once in a process."""
    kinds: tuple[Isolation, ...] = ("bubblewrap", "landlock")
    for kind in kinds:
        if _works(kind):
            return kind
    return "none"


async def run_jailed(
    code: str,
    *,
    files: Mapping[str, bytes] | None = None,
    timeout: float = 60.0,
    allow_unsafe: bool = False,
) -> Ran:
    """Run Python code, shut in, and return what it printed.

    When this is cancelled or the time is up, the code and all that it started is killed.

    Args:
        code: A script. Its working folder is empty but for `files`, and is removed afterwards.
        files: What stands in the folder, by plain names.
        timeout: Longest time, in seconds.
        allow_unsafe: Whether to run it with all rights of this user where nothing can shut it in.

    Raises:
        NotAllowedError: Nothing can shut it in here, and it may not run without.
    """
    kind = cast("Isolation", await asyncio.to_thread(isolation))
    if kind == "none" and not allow_unsafe:
        raise NotAllowedError(
            "Code is not run here: nothing on this machine shuts it in.",
            remedy="Install bubblewrap, or allow it by [tools.python] allow_unsafe = true in "
            "config.toml",
            code="no-isolation",
        )
    folder = await asyncio.to_thread(_folder, code, files or {})
    try:
        return await _run(kind, folder, timeout)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _folder(code: str, files: Mapping[str, bytes]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="iaiflow-code-")).resolve()
    for name, content in files.items():
        (folder / Path(name).name).write_bytes(content)
    (folder / _CODE).write_text(code, encoding="utf-8", errors="replace")
    return folder


async def _run(kind: Isolation, folder: Path, timeout: float) -> Ran:
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *_command(kind, folder, timeout),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(folder),
        cwd=folder,
        start_new_session=True,
    )
    kept, is_late = bytearray(), False
    assert process.stdout is not None
    try:
        async with asyncio.timeout(timeout):
            is_cut = await _read(process.stdout, kept)
            await process.wait()
    except TimeoutError:
        is_cut, is_late = len(kept) >= MAX_OUTPUT, True
    finally:
        _kill_group(process.pid)
        await asyncio.shield(process.wait())
    return Ran(
        kind,
        process.returncode if process.returncode is not None else -signal.SIGKILL,
        bytes(kept).decode("utf-8", "replace"),
        is_cut,
        is_late,
        time.monotonic() - started,
    )


async def _read(stream: asyncio.StreamReader, kept: bytearray) -> bool:
    """Keep the beginning of an output, and say whether there was more."""
    is_cut = False
    while part := await stream.read(65_536):
        room = MAX_OUTPUT - len(kept)
        kept += part[:room]
        is_cut = is_cut or len(part) > room
    return is_cut


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _environment(folder: Path) -> dict[str, str]:
    """Return the little that a program needs; nothing of ours."""
    return {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "2",
        "PATH": "/usr/bin:/bin",
        "POLARS_MAX_THREADS": "2",
        "TMPDIR": str(folder),
    }


def _command(kind: Isolation, folder: Path, timeout: float) -> Sequence[str]:
    wanted = {
        "isolation": kind,
        "code": str(folder / _CODE),
        "limits": {
            "RLIMIT_AS": MAX_MEMORY,
            "RLIMIT_CPU": int(timeout) + 2,
            "RLIMIT_FSIZE": _MAX_FILE,
            "RLIMIT_NOFILE": _MAX_OPEN,
        },
        "read": [*_readable(), *_MACHINE],
        "write": [str(folder), *_DEVICES],
    }
    script = Path(__file__).with_name("jailed.py").read_text(encoding="utf-8")
    inner = [sys.executable, "-I", "-S", "-B", "-c", script, json.dumps(wanted)]
    return [*_bubblewrap(folder), *inner] if kind == "bubblewrap" else inner


def _readable() -> list[str]:
    """Return the places of Python and its packages, and of the system's libraries."""
    own = {sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages()}
    own |= {str(Path(sys.executable).resolve().parent), str(Path(sys.executable).parent)}
    private = {"/", str(Path.home()), str(Path.home().parent), "/root", "/etc", "/var", "/tmp"}  # noqa: S108  never a whole such folder
    return [*_SYSTEM, *sorted(path for path in own if path not in private)]


def _bubblewrap(folder: Path) -> list[str]:
    """Return the command that shuts in what follows it."""
    made = [
        shutil.which("bwrap") or "bwrap", "--unshare-user", "--unshare-all", "--die-with-parent",
        "--disable-userns",
        "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--hostname", "jail",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", str(folder.parent),
    ]  # fmt: skip
    for path in _readable():
        made += _seen(path)
    return [*made, "--bind", str(folder), str(folder), "--chdir", str(folder), "--"]


def _seen(path: str) -> Iterator[str]:
    if Path(path).is_symlink():
        yield from ("--symlink", str(Path(path).readlink()), path)
    else:
        yield from ("--ro-bind-try", path, path)


def _works(kind: Isolation) -> bool:
    if sys.platform != "linux" or (kind == "bubblewrap" and shutil.which("bwrap") is None):
        return False
    if kind == "landlock" and os.uname().machine != "x86_64":
        return False
    folder = _folder("print('jailed')", {})
    try:
        tried = subprocess.run(
            _command(kind, folder, _PROBE),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(folder),
            cwd=folder,
            start_new_session=True,
            timeout=_PROBE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tried.returncode == 0 and tried.stdout == b"jailed\n"
