"""Bytes by content hash in a plain folder, for values on their way to another process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Files named by the SHA-256 of their content."""

    folder: Path

    def put(self, data: bytes | memoryview) -> str:
        """Store bytes and return their SHA-256 in hex."""
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / digest).write_bytes(data)
        return digest

    def get(self, digest: str) -> bytes:
        """Return stored bytes."""
        return (self.folder / digest).read_bytes()
