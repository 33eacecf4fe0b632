"""Secrets of a project: encrypted in the database, opened by whoever has the master key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from iaiflow_lab.errors import NotFoundError, StoreError
from iaiflow_lab.safe import master_keys
from iaiflow_lab.safe.box import Sealed, UnsealError, new_key, seal, unseal
from iaiflow_lab.store.database import Database, Reader, Row, Transaction
from iaiflow_lab.world import World

T = TypeVar("T")


class Secret(NamedTuple):
    """A secret with what is known of it. Times are seconds since the Unix epoch."""

    name: str
    #: Rises each time when it is set.
    version: int
    created_at: float
    #: Who set it.
    created_by: str


class _Key(NamedTuple):
    """The key that a project's secrets are encrypted by."""

    id: str
    key: bytes


class Secrets:
    """The secrets of one project.

    Args:
        db: The workspace's database.
        world: Time and identifiers.
        project: Whose they are.
    """

    def __init__(self, db: Database, world: World, project: str) -> None:
        self._db = db
        self._world = world
        self._project = project

    def all(self, reader: Reader | None = None) -> list[Secret]:
        """Return every secret, by name, without its value.

        Args:
            reader: The transaction to read in; None: one of its own.
        """
        if reader is not None:
            return [_described(row) for row in reader.all("secrets_all", (self._project,))]
        with self._db.read() as opened:
            return self.all(opened)

    def open(self, name: str) -> tuple[str, int]:
        """Return the value of a secret, and its version.

        Raises:
            NotFoundError: It is not set.
            StoreError: It cannot be opened: its key is missing, or it was changed.
        """
        with self._db.read() as reader:
            row = reader.one("secret_get", (self._project, name))
        if row is None:
            raise NotFoundError(
                f"Secret {name} isn't set in project {self._project}.",
                remedy=f"Set it: `iaiflow secrets set {name}`",
                code="secret-unset",
            )
        wrapped = Sealed(row["key_nonce"], row["key_box"])
        key = self._unwrap(row["key_id"], row["master"], wrapped)
        sealed = Sealed(row["nonce"], row["box"])
        return self._opened(key, sealed, name, row["version"]).decode(), row["version"]

    def set(self, name: str, value: str, by: str) -> Secret:
        """Write a new version of a secret over the one before.

        Raises:
            StoreError: The key is missing, or can be kept nowhere.
        """
        key, now = self._key_to_write(), self._world.clock.now()
        with self._db.write() as tx:
            self._check_unchanged(tx, key)
            last = tx.one("secret_version", (self._project, name))
            version = 1 if last is None else last["version"] + 1
            sealed = seal(key.key, value.encode(), self._about(name, version))
            row = {
                "project": self._project,
                "name": name,
                "version": version,
                "key_id": key.id,
                "nonce": sealed.nonce,
                "box": sealed.box,
                "now": now,
                "by": by,
            }
            tx.run("secret_put", row)
        return Secret(name, version, now, by)

    def remove(self, name: str) -> bool:
        """Forget a secret; returns whether there was one."""
        with self._db.write() as tx:
            return tx.run("secret_drop", (self._project, name)) > 0

    def rotate(self) -> int:
        """Encrypt every secret by a new key, all or none; returns how many there are.

        The new key is encrypted by a new master key, where one can be made. The one before stays
        where it is, so that copies of the database can still be opened.

        Raises:
            StoreError: The present key is missing, or the new one can be kept nowhere.
        """
        key = self._find_key()
        if key is None:
            return 0
        return self._with_new_key(lambda tx, new: self._seal_again(tx, key, new))

    def place(self) -> str | None:
        """Say where the master key is kept; None: there is no key yet.

        Raises:
            StoreError: It is missing.
        """
        row = self._key_row()
        return None if row is None else master_keys.describe(_master(row["master"]).place)

    def _seal_again(self, tx: Transaction, key: _Key, new: _Key) -> int:
        self._check_unchanged(tx, key)
        rows = tx.all("secrets_all", (self._project,))
        for row in rows:
            name, version = row["name"], row["version"]
            value = self._opened(key, Sealed(row["nonce"], row["box"]), name, version)
            sealed = seal(new.key, value, self._about(name, version))
            changed = {"key_id": new.id, "nonce": sealed.nonce, "box": sealed.box}
            tx.run("secret_seal", changed | {"project": self._project, "name": name})
        return len(rows)

    def _key_to_write(self) -> _Key:
        """Return the project's key; make one where there is none, or it is lost with nothing."""
        row = self._key_row()
        try:
            key = self._find_key()
        except StoreError:
            if self.all():
                raise
            key = None

        def first(tx: Transaction, new: _Key) -> _Key | None:
            return new if self._key_row(tx) == row else None

        return key or self._with_new_key(first) or self._key_to_write()

    def _with_new_key(self, use: Callable[[Transaction, _Key], T]) -> T:
        """Make a key and use it, in one transaction; an answer of None gives it up."""
        new, master = _Key(self._world.ids.new("key"), new_key()), master_keys.make()
        try:
            with self._db.write() as tx:
                result = use(tx, new)
                if result is not None:
                    self._put_key(tx, new, master)
        except BaseException:
            self._give_up(master)
            raise
        if result is None:
            master_keys.forget(master)
        return result

    def _give_up(self, master: master_keys.MasterKey) -> None:
        """Forget a master key that encrypts nothing; one that is in doubt stays."""
        with suppress(Exception):  # a key too many does no harm, and the first failure is told
            row = self._key_row()
            if row is None or row["master"] != master.id:  # an interrupt may follow a commit
                master_keys.forget(master)

    def _put_key(self, tx: Transaction, new: _Key, master: master_keys.MasterKey) -> None:
        sealed = seal(master.key, new.key, self._about_key(new.id))
        row = {
            "project": self._project,
            "id": new.id,
            "master": master.id,
            "nonce": sealed.nonce,
            "box": sealed.box,
            "now": self._world.clock.now(),
        }
        tx.run("secret_key_put", row)

    def _key_row(self, reader: Reader | None = None) -> Row | None:
        if reader is not None:
            return reader.one("secret_key", (self._project,))
        with self._db.read() as opened:
            return opened.one("secret_key", (self._project,))

    def _find_key(self) -> _Key | None:
        row = self._key_row()
        if row is None:
            return None
        return self._unwrap(row["id"], row["master"], Sealed(row["nonce"], row["box"]))

    def _check_unchanged(self, tx: Transaction, key: _Key) -> None:
        row = self._key_row(tx)
        if row is not None and row["id"] != key.id:
            raise StoreError(
                "The secrets were just encrypted by another key.",
                remedy="Try again",
                code="store-busy",
            )

    def _unwrap(self, key_id: str, master_id: str, sealed: Sealed) -> _Key:
        master = _master(master_id)
        try:
            return _Key(key_id, unseal(master.key, sealed, self._about_key(key_id)))
        except UnsealError as error:
            raise _damaged("The key of this project's secrets was changed.") from error

    def _opened(self, key: _Key, sealed: Sealed, name: str, version: int) -> bytes:
        try:
            return unseal(key.key, sealed, self._about(name, version))
        except UnsealError as error:
            raise _damaged(f"Secret {name} was changed outside of IAI Flow Lab.") from error

    def _about(self, name: str, version: int) -> str:
        return f"{self._project}|{name}|{version}"

    def _about_key(self, key_id: str) -> str:
        return f"{self._project}||{key_id}"


def _described(row: Row) -> Secret:
    return Secret(row["name"], row["version"], row["created_at"], row["created_by"])


def _master(key_id: str) -> master_keys.MasterKey:
    found = master_keys.find(key_id)
    if found is None:
        raise StoreError(
            f"Secrets can't be opened: key id {key_id} not found.",
            remedy=f"Restore it to the keyring, to {master_keys.key_file()} or to"
            f" {master_keys.VARIABLE}; else remove the secrets and set them again",
            code="secrets-key-missing",
        )
    return found


def _damaged(what: str) -> StoreError:
    return StoreError(what, remedy="Set the secret again", code="secrets-damaged")
