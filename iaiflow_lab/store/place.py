"""Where a state folder may be: SQLite's log needs a local disk."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "fuse.s3fs", "glusterfs"}
)
_MOUNTS: Final = Path("/proc/self/mounts")


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
