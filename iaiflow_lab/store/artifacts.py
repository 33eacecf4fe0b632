"""Bytes by content hash, as files `artifacts/ab/cdef…` beside the database."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import InputError, NotFoundError, StoreError
from iaiflow_lab.store.database import Database
from iaiflow_lab.world import World

#: How long unused bytes are kept after somebody last stored them, in seconds.
GRACE_S: Final = 3_600.0

#: How many are removed in one transaction.
_AT_ONCE: Final = 200
#: Least pause after each of these, in seconds: others who write get their turn.
_REST_S: Final = 0.002
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection removed."""

    #: How many artifacts.
    count: int
    #: How many bytes.
    bytes: int


class ArtifactStore:
    """`engine.ports.Artifacts` over a folder.

    Args:
        folder: Where the bytes go; made when it is first needed.
        db: Remembers what is stored and who needs it.
        world: The time, and the crash point before the rename.
        durable: Whether bytes are forced to the disk before they count as stored.
    """

    def __init__(self, folder: Path, db: Database, world: World, *, durable: bool) -> None:
        self._folder = folder
        self._db = db
        self._world = world
        self._durable = durable

    def put(self, data: bytes | memoryview) -> str:
        """Store `data` and return its SHA-256 in hex; storing it twice costs nothing.

        Raises:
            StoreError: The disk is full or cannot be written.
        """
        digest = hashlib.sha256(data).hexdigest()
        # Touched before the file is looked for: a collector that comes later leaves it alone, one
        # that came earlier has removed it already.
        with self._db.write() as tx:
            tx.run("artifact_touch", (digest, memoryview(data).nbytes, self._world.clock.now()))
        path = self._place(digest)
        if not self._is_stored(path):
            self._write(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes.

        Raises:
            InputError: `digest` is no SHA-256 in hex.
            NotFoundError: Nothing is stored under `digest`.
        """
        path = self.path(digest)
        if path is None:
            raise NotFoundError(f"The artifact {digest} is not in this workspace.")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()

    def path(self, digest: str) -> Path | None:
        """Return the file that holds the bytes; None when nothing is stored under `digest`.

        Raises:
            InputError: `digest` is no SHA-256 in hex.
        """
        path = self._place(digest)
        return path if self._is_stored(path) else None

    def verify(self, digest: str) -> bool:
        """Say whether the stored bytes still have the hash that they are stored under.

        Raises:
            NotFoundError: Nothing is stored under `digest`.
        """
        return hashlib.sha256(self.get(digest)).hexdigest() == digest

    def collect(self, is_stopped: Callable[[], bool] = lambda: False) -> Collection:
        """Remove what no run and no cached output names and nobody stored in the last hour.

        Args:
            is_stopped: Asked often; once it says yes, the rest is left to the next collection.
        """
        before = self._world.clock.now() - GRACE_S
        with self._db.write() as tx:
            tx.run("cache_expire", (self._world.clock.now(),))
        with self._db.read() as reader:
            unused = [row["hash"] for row in reader.all("artifacts_unused", (before,))]
        sizes: list[int] = []
        clock = self._world.clock
        for start in range(0, len(unused), _AT_ONCE):
            if is_stopped():
                break
            started = clock.monotonic()
            sizes += self._forget(unused[start : start + _AT_ONCE], before)
            clock.sleep(max(_REST_S, clock.monotonic() - started))  # half of the time is theirs
        self._remove_leftovers(before)
        return Collection(len(sizes), sum(sizes))

    def _forget(self, hashes: list[str], before: float) -> list[int]:
        """Remove those that are still unused, and return their sizes."""
        wanted = {"hashes": json.dumps(hashes), "before": before}
        # The files go before the commit: nobody can store the same bytes meanwhile.
        with self._db.write(partial(self._world.faults.reach, "collect.before_commit")) as tx:
            gone = tx.all("artifacts_forget", wanted)
            for row in gone:
                self._place(row["hash"]).unlink(missing_ok=True)
        return [row["size"] for row in gone]

    def _place(self, digest: str) -> Path:
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise InputError(f"{digest!r} is no artifact: a SHA-256 in 64 hex digits is needed.")
        return self._folder / digest[:2] / digest[2:]

    def _is_stored(self, path: Path) -> bool:
        for place in (path, path.parent, self._folder):
            if place.is_symlink():
                raise StoreError(
                    "An artifact's place is a symbolic link; it is not followed.",
                    where=str(place),
                    remedy="Remove the link",
                    code="artifact-link",
                )
        return path.is_file()

    def _write(self, path: Path, data: bytes | memoryview) -> None:
        temporary = self._folder / "tmp" / self._world.ids.new("tmp")
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            with temporary.open("xb") as file:
                file.write(data)
                if self._durable:
                    file.flush()
                    os.fsync(file.fileno())
            self._world.faults.reach("artifact.before_rename")
            temporary.replace(path)
            if self._durable:
                _sync_folder(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StoreError(
                f"An artifact cannot be written: {error.strerror}.",
                where=str(path),
                remedy="Free some space or make the folder writable, and try again",
                code="artifact-unwritable",
            ) from error

    def _remove_leftovers(self, before: float) -> None:
        """Remove temporary files of writers that died."""
        for path in self._folder.glob("tmp/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    path.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
