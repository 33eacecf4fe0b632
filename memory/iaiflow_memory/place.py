"""Where the owner of a database file listens: in a folder that only this user can open."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from iaiflow_memory.errors import Unavailable

#: Longest path that every system takes for a socket, in bytes.
_LONGEST: Final = 100
#: Room for the name of a socket in its folder, in bytes.
_NAME: Final = 32
_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "fuse.s3fs", "glusterfs"}
)
_MOUNTS: Final = Path("/proc/self/mounts")


def runtime_folder() -> Path:
    """Return a folder for sockets and tokens, made if need be, that only this user can open.

    Raises:
        Unavailable: It cannot be made, or another user can open or change it.
    """
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    folder = base / "iaiflow-memory"
    if not _is_own(base) or len(os.fsencode(folder)) > _LONGEST - _NAME:
        folder = Path("/tmp", f"iaiflow-memory-{os.geteuid()}")  # noqa: S108  private, and checked
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder for the memory's socket can't be made: {error.strerror}",
            where=str(folder),
            remedy="Set XDG_RUNTIME_DIR to a folder of your own",
        ) from error
    check_private(folder)
    return folder


def check_private(folder: Path) -> None:
    """Refuse a folder for sockets that another user can open or change.

    Raises:
        Unavailable: It is one, or cannot be read.
    """
    if not _is_own(folder) or stat.S_IMODE(folder.lstat().st_mode) & 0o077:
        raise Unavailable(
            "The folder for the memory's socket is not private to this user",
            where=str(folder),
            remedy="Remove it, or set XDG_RUNTIME_DIR to a folder of your own",
        )


def _is_own(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def socket_path(lock: Path) -> Path:
    """Return where the owner listens whose lock is `lock`: another file, another socket."""
    found = lock.stat()
    name = f"{lock.resolve()}:{found.st_dev}:{found.st_ino}"
    return runtime_folder() / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.sock"


def network_filesystem(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Return the kind of network file system that holds `folder`; "" for a local disk.

    Args:
        folder: An existing folder.
        mounts: The system's list of mounts; where there is none, every disk counts as local.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = folder.resolve()
    kind, longest = "", -1
    for line in lines:
        _, mount, filesystem, *_ = line.split(" ")
        point = Path(mount.replace("\\040", " "))
        if len(point.parts) >= longest and place.is_relative_to(point):
            kind, longest = filesystem, len(point.parts)
    return kind if kind in _NETWORK else ""
