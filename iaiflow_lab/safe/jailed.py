"""What runs first inside a jail: it gives up all that the code must not have, then becomes it.

This file is handed to a fresh interpreter as text, so it uses nothing but the standard library.
"""

# The numbers below are those of Linux on x86_64; on other machines only bubblewrap is used.
from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import struct
import sys

#: System calls that are refused in every jail: other processes, networks, keys, shared memory, and
#: what only changes the machine.
_DENIED = (
    29, 30, 31, 41, 57, 58, 62, 64, 68, 101, 109, 112, 129, 135, 141, 142, 144, 155, 159, 161, 163,
    164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 200, 203, 227, 234, 240, 246,
    248, 249, 250, 251, 272, 297, 298, 303, 304, 305, 308, 310, 311, 313, 314, 320, 321, 323, 424,
    425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 442,
)  # fmt: skip
#: Further ones that Landlock does not look at: modes, owners, times and attributes of files.
_DENIED_BESIDE_LANDLOCK = (
    90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260, 261, 268, 280, 452, 463, 466,
)  # fmt: skip
_CLONE, _CLONE3, _CLONE_THREAD, _PRLIMIT = 56, 435, 0x00010000, 302
_ARCHITECTURE = 0xC000003E
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38

#: Rights of Landlock: what may be done with a file, and what else with a folder.
_READ = 1 << 0 | 1 << 2 | 1 << 3
_FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_ALL = (1 << 16) - 1
#: The oldest Landlock that also guards against truncation.
_OLDEST = 3

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Confine this process as the first argument says, and execute the code."""
    wanted = json.loads(sys.argv[1])
    for name, most in wanted["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if wanted["isolation"] != "none":
        _checked(_libc.prctl(38, 1, 0, 0, 0))  # no new privileges, whatever is executed
    if wanted["isolation"] == "landlock":
        _drop_capabilities()
        _restrict_files(wanted["read"], wanted["write"])
        _refuse_calls(_DENIED + _DENIED_BESIDE_LANDLOCK)
    elif wanted["isolation"] == "bubblewrap" and os.uname().machine == "x86_64":
        _refuse_calls(_DENIED)
    os.execve(  # noqa: S606  no shell is wanted
        sys.executable, [sys.executable, "-I", "-B", "-u", wanted["code"]], os.environ
    )


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _drop_capabilities() -> None:
    """Let root have no more rights than anybody."""
    for capability in range(64):
        _libc.prctl(24, capability, 0, 0, 0)


def _restrict_files(read: list[str], write: list[str]) -> None:
    """Confine this process to these places, by Landlock."""
    version = _checked(_libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    if version < _OLDEST:
        raise OSError(_ENOSYS, "Landlock is too old")
    rights = _ALL if version >= 5 else _ALL & ~(1 << 15)
    handled = [rights, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    made = struct.pack(f"={len(handled)}Q", *handled)
    ruleset = _checked(_libc.syscall(444, made, ctypes.c_size_t(len(made)), ctypes.c_uint32(0)))
    for paths, access in ((read, _READ), (write, rights & ~(1 << 0))):
        for path in paths:
            _allow(ruleset, path, access)
    _checked(_libc.syscall(446, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rule = struct.pack("=Qi", access if is_folder else access & _FILE, place)
        _checked(
            _libc.syscall(445, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
        )
    finally:
        os.close(place)


def _refuse_calls(denied: tuple[int, ...]) -> None:
    """Refuse system calls; threads may be made, processes may not."""
    count = len(denied)
    program = [
        (0x20, 0, 0, 4),  # the architecture
        (0x15, 0, count + 12, _ARCHITECTURE),
        (0x20, 0, 0, 0),  # the number of the call
        (0x35, count + 8, 0, 0x40000000),  # those of x32 have numbers of their own
        *((0x15, count - index + 7, 0, number) for index, number in enumerate(denied)),
        (0x15, 8, 0, _CLONE3),  # its flags can't be read, so that libraries use the older one
        (0x15, 1, 0, _CLONE),
        (0x15, 2, 4, _PRLIMIT),
        (0x20, 0, 0, 16),  # its first argument: the flags
        (0x45, 2, 3, _CLONE_THREAD),
        (0x20, 0, 0, 16),  # its first argument: the process; 0 is the one that asks
        (0x15, 0, 1, 0),
        (0x06, 0, 0, _ALLOW),
        (0x06, 0, 0, _ERROR | _EPERM),
        (0x06, 0, 0, _ERROR | _ENOSYS),
        (0x06, 0, 0, _KILL),
    ]
    code = b"".join(struct.pack("=HBBI", *line) for line in program)
    kept = ctypes.create_string_buffer(code, len(code))
    given = struct.pack("@HP", len(program), ctypes.addressof(kept))
    _checked(_libc.prctl(22, 2, given, 0, 0))


if __name__ == "__main__":
    main()
