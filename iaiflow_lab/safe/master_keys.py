"""The keys that encrypt the keys of workspaces. They are kept outside of every workspace.

A new one goes to the first place that takes it: the keyring of the operating system, where the
package `keyring` is installed and has one; else the environment variable `IAIFLOW_SECRETS_KEY`
counts; else a file in the user's own configuration folder, which nobody else can read. A key is
looked for in all three: its name is a hash of it.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import queue
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar, cast

from iaiflow_lab.errors import InputError, StoreError
from iaiflow_lab.safe.box import KEY_BYTES, new_key

T = TypeVar("T")

#: Environment variable: a key in base64, or several with commas between; the first encrypts.
VARIABLE: Final = "IAIFLOW_SECRETS_KEY"
_SERVICE: Final = "iaiflow-lab"
#: How long a keyring may take, in seconds: one that is locked asks somebody who may not be there.
_PATIENCE: Final = 15.0

Place = Literal["keyring", "environment", "file"]


class MasterKey(NamedTuple):
    """A key with its name, and where it is kept."""

    id: str
    key: bytes
    place: Place


def key_file() -> Path:
    """Return the file that holds keys when nothing else does."""
    from platformdirs import user_config_path

    return user_config_path("iaiflow", appauthor=False) / "secrets.key"


def make() -> MasterKey:
    """Return a key to encrypt with: a new one, or that of the environment.

    Raises:
        InputError: The environment variable holds no key.
        StoreError: It can be kept nowhere.
    """
    key = new_key()
    made = _id_of(key)
    if _keep_in_keyring(made, key):
        return MasterKey(made, key, "keyring")
    if given := _of_environment():
        return MasterKey(_id_of(given[0]), given[0], "environment")
    with _file_of_keys() as keys:
        keys[made] = base64.b64encode(key).decode()
    return MasterKey(made, key, "file")


def find(key_id: str) -> MasterKey | None:
    """Return a key by its name; None when it is nowhere.

    Raises:
        InputError: The environment variable holds no key.
        StoreError: The file that holds keys cannot be read.
    """
    for given in _of_environment():
        if _id_of(given) == key_id:
            return MasterKey(key_id, given, "environment")
    if key := _decode(_read_file().get(key_id, "")):
        return MasterKey(key_id, key, "file")
    text = _ask_keyring(lambda ring: ring.get_password(_SERVICE, key_id))
    key = _decode(text or "")
    return None if key is None else MasterKey(key_id, key, "keyring")


def forget(made: MasterKey) -> None:
    """Undo `make`: the key encrypts nothing."""
    if made.place == "keyring":
        _ask_keyring(lambda ring: ring.delete_password(_SERVICE, made.id))
    elif made.place == "file":
        with _file_of_keys() as keys:
            keys.pop(made.id, None)


def describe(place: Place) -> str:
    """Say where a key is kept."""
    return {
        "keyring": "in the keyring of this user",
        "environment": f"in the environment variable {VARIABLE}",
        "file": f"in {key_file()}",
    }[place]


def _id_of(key: bytes) -> str:
    return "k" + hashlib.sha256(b"iaiflow master key\0" + key).hexdigest()[:10]


def _decode(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _of_environment() -> list[bytes]:
    keys: list[bytes] = []
    for text in filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))):
        key = _decode(text)
        if key is None:
            raise InputError(
                f"{VARIABLE} holds no key of {KEY_BYTES} bytes in base64.",
                where="environment",
                remedy=f"`openssl rand -base64 {KEY_BYTES}` makes one",
            )
        keys.append(key)
    return keys


def _keep_in_keyring(key_id: str, key: bytes) -> bool:
    text = base64.b64encode(key).decode()

    def keep(ring: Any) -> bool:
        ring.set_password(_SERVICE, key_id, text)
        return ring.get_password(_SERVICE, key_id) == text  # some backends forget at once

    return bool(_ask_keyring(keep))


def _ask_keyring(question: Callable[[Any], T]) -> T | None:
    """Return what the system's keyring answers; None when there is none that does."""
    answers: queue.SimpleQueue[T | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(question(import_module("keyring")))
        except Exception:  # not installed, no backend, locked: each is the same as none
            answers.put(None)

    threading.Thread(target=ask, name="iaiflow-keyring", daemon=True).start()
    try:
        return answers.get(timeout=_PATIENCE)
    except queue.Empty:
        return None


def _read_file() -> dict[str, str]:
    path = key_file()
    try:
        return _keys_in(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(
            "The file with the keys of secrets cannot be read.",
            where=str(path),
            remedy="Restore a copy of it",
            code="secrets-key-unreadable",
        ) from error


def _keys_in(said: Any) -> dict[str, str]:
    keys = cast("dict[str, Any]", said if isinstance(said, dict) else {"": said})
    if not all(isinstance(key, str) for key in keys.values()) or "" in keys:
        raise ValueError("It holds no keys by their names.")
    return keys


@contextmanager
def _file_of_keys() -> Generator[dict[str, str]]:
    """Change the file of keys: one process at a time, whole or not at all."""
    path = key_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = _read_file()
            yield keys
            _replace(path, json.dumps(keys, indent=2))
    except OSError as error:
        raise StoreError(
            f"The key of secrets can't be kept: {error.strerror}.",
            where=str(path),
            remedy=f"Make its folder writable, or set {VARIABLE}",
            code="secrets-key-unwritable",
        ) from error


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
