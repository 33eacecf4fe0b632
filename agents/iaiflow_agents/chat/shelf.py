"""Threads as files of the workspace: written whole, without secrets, each for itself."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from iaiflow_agents.chat.thread import FORMAT, Exchange, Thread
from iaiflow_lab.errors import InputError, LabError, NotFoundError, StoreError
from iaiflow_lab.safe.redact import RESOLVED, Hider, environment_hider

#: Threads that are listed, the newest.
LISTED: Final = 200
#: Largest file of a thread, in bytes.
LARGEST: Final = 48_000_000
_SUFFIX: Final = ".json"
_BROKEN: Final = ".broken"
_LOCK: Final = ".lock"


class Shelf:
    """The threads of one workspace; not safe for several threads of execution.

    Other kernels may write here as well: a file that has changed is read anew.

    Args:
        folder: Returns the folder of the files, made when it is missing.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        #: What was read last, by id, with what tells the file's present state.
        self._known: dict[str, tuple[tuple[int, int, int], Thread]] = {}
        self._problems: list[str] = []

    def all(self) -> list[Thread]:
        """Return the newest threads, the newest first."""
        files = sorted(self._files(), key=lambda file: -file[1].st_mtime_ns)
        found = [self._read(place, state) for place, state in files[:LISTED]]
        listed = {place.stem for place, _ in files[:LISTED]}
        self._known = {id_: one for id_, one in self._known.items() if id_ in listed}
        threads = [thread for thread in found if thread is not None]
        return sorted(threads, key=lambda thread: -thread.changed_at)

    def problems(self) -> list[str]:
        """Return, once, which files could not be read."""
        found, self._problems = self._problems, []
        return found

    def get(self, id_: str) -> Thread:
        """Return a thread.

        Raises:
            NotFoundError: There is none, or its file is broken.
        """
        place = self._place(id_)
        try:
            thread = self._read(place, place.lstat())
        except FileNotFoundError:
            thread = None
        if thread is None:
            raise NotFoundError("There is no such thread any more.", code="no-thread")
        return thread

    def put(self, thread: Thread) -> Thread:
        """Write a thread, and return it as it was written: without secrets.

        Raises:
            InputError: It is too large, or no text.
            StoreError: It cannot be written.
        """
        kept = clean(thread)
        try:
            data = msgspec.json.encode(kept)
        except UnicodeEncodeError as error:
            raise InputError(
                "This holds half of a character, which can't be written.",
                remedy="Write it anew.",
                code="thread-unwritable",
            ) from error
        if len(data) > LARGEST:
            raise InputError(
                f"This thread holds more than {LARGEST // 1_000_000} MB.",
                remedy="Begin another one.",
                code="thread-too-large",
            )
        place = self._place(kept.id)
        try:
            state = _write(place, data)
        except OSError as error:
            raise StoreError(
                f"The thread can't be written: {error.strerror or error}.",
                where=str(place),
                remedy="Check the disk's space and the folder's permissions.",
                code="thread-unwritable",
            ) from error
        self._known[kept.id] = (_mark(state), kept)
        return kept

    def remove(self, id_: str) -> None:
        """Delete a thread's file."""
        self._known.pop(id_, None)
        self._place(id_).unlink(missing_ok=True)

    def _place(self, id_: str) -> Path:
        return self._folder() / f"{id_}{_SUFFIX}"

    def _files(self) -> Iterable[tuple[Path, os.stat_result]]:
        for entry in os.scandir(self._folder()):
            if not entry.name.endswith(_SUFFIX):
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # another kernel removed it meanwhile
                continue
            if stat.S_ISREG(state.st_mode):
                yield Path(entry.path), state

    def _read(self, place: Path, state: os.stat_result) -> Thread | None:
        """Return the thread of a file; one that is broken is set aside."""
        mark, known = self._known.get(place.stem, (None, None))
        if mark == _mark(state):
            return known
        try:
            thread = _parsed(place)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._note(f"The file {place.name} can't be read: {error.strerror}.")
            return None
        except _LaterError:
            self._note(f"A newer version of iaiflow-lab wrote {place.name}; it is left as it is.")
            return None
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._set_aside(place)
            return None
        self._known[thread.id] = (_mark(state), thread)
        return thread

    def _set_aside(self, place: Path) -> None:
        aside = place.with_name(f"{place.name}{_BROKEN}")
        number = 1
        while aside.exists():
            number += 1
            aside = place.with_name(f"{place.name}{_BROKEN}-{number}")
        what = f"The file of a thread, {place.name}, can't be read"
        try:
            place.replace(aside)
        except OSError as error:
            self._note(f"{what}, nor set aside: {error.strerror}.")
        else:
            self._note(f"{what}; it was set aside as {aside.name}.")

    def _note(self, problem: str) -> None:
        if problem not in self._problems:
            self._problems.append(problem)


def clean(thread: Thread) -> Thread:
    """Return a thread without the secrets that are known here."""
    hide = _hider()
    return msgspec.structs.replace(
        thread,
        title=hide(thread.title),
        exchanges=tuple(_clean(exchange, hide) for exchange in thread.exchanges),
    )


def _clean(exchange: Exchange, hide: Callable[[Any], Any]) -> Exchange:
    own = {name: hide(getattr(exchange, name)) for name in ("text", "trace", "fault")}
    attachments = tuple(
        msgspec.structs.replace(one, **{name: hide(getattr(one, name)) for name in fields})
        for one in exchange.attachments
        for fields in [one.__struct_fields__]
    )
    messages = tuple(_clean_message(message, hide) for message in exchange.messages)
    return msgspec.structs.replace(exchange, attachments=attachments, messages=messages, **own)


def _clean_message(message: dict[str, Any], hide: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a message without secrets; a thought with one goes: it is signed as it was."""
    hidden = [(block, hide(block)) for block in message["content"]]
    content = [made for block, made in hidden if made is block or "signature" not in block]
    return {**message, "content": content}


def hide(value: Any) -> Any:
    """Return a JSON value without the secrets of this process and of its environment."""
    return _hider()(value)


def _hider() -> Callable[[Any], Any]:
    of_environment = _of_environment(tuple(os.environ.items()))
    return lambda value: of_environment.data(RESOLVED.data(value))


@lru_cache(maxsize=1)
def _of_environment(variables: tuple[tuple[str, str], ...]) -> Hider:
    """Return what hides the secrets of the environment; it is asked for often."""
    return environment_hider(dict(variables))


class _LaterError(Exception):
    """A file has a format of a later version."""


class _Head(msgspec.Struct):
    """What the file of any version says."""

    format: str = ""


# msgspec learns a type when it is first read, and crashes where two threads begin that at once.
_threads: Final = msgspec.json.Decoder(Thread)


def _is_later(data: bytes) -> bool:
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        found = msgspec.json.decode(data, type=_Head).format
        return found != FORMAT and re.fullmatch(r"chat/[1-9][0-9]*", found) is not None
    return False


def _parsed(place: Path) -> Thread:
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(place)
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(place)
    try:
        thread = _threads.decode(data)
    except (msgspec.ValidationError, RecursionError):
        if _is_later(data):
            raise _LaterError from None
        raise
    if thread.id != place.stem:
        raise ValueError(place)
    return thread


def _mark(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_mtime_ns, state.st_size, state.st_ino


@contextmanager
def locked(folder: Callable[[], Path]) -> Generator[None]:
    """Let no other kernel change threads meanwhile.

    Where nothing can be locked it goes on without: what is written says whether it could be.
    """
    handle = -1
    try:
        with suppress(OSError, LabError):
            handle = os.open(folder() / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle >= 0:
            with suppress(OSError):  # a child that was forked meanwhile would keep it
                fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _write(place: Path, data: bytes) -> os.stat_result:
    """Write a file whole, for its owner alone: nobody ever sees half of it."""
    handle, made = tempfile.mkstemp(prefix=".", suffix=".new", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(handle)
        Path(made).replace(place)
        return place.lstat()
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
