"""What long-lived processes say, as lines of JSON in the state folder; known secrets left out."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.safe.redact import RESOLVED

#: The logger below which all of ours stand; what nodes log never passes here.
ROOT: Final = "iaiflow"
#: The folder in the state folder, and its one file, which all processes of a workspace share.
FOLDER: Final = "logs"
FILE: Final = "iaiflow.jsonl"
#: A file that is larger is put aside, in bytes; so many older ones are kept.
LARGEST: Final = 10_000_000
KEPT: Final = 5
#: Names of environment variables whose values are secrets, and the shortest that are looked for.
_SECRET: Final = re.compile(r"key|token|secret|password|passwd|credential", re.IGNORECASE)
_SHORTEST: Final = 6
_KNOWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def start(state: Path, process: str, level: int = logging.INFO) -> logging.Logger:
    """Write what this process logs below `iaiflow` to the workspace's log file.

    Called again, it changes nothing. A file that cannot be written is done without.

    Args:
        state: The workspace's state folder.
        process: What the process is: `serve`, `worker`.
        level: The lowest level that is written.
    """
    logger = logging.getLogger(ROOT)
    if any(isinstance(handler, SharedFile) for handler in logger.handlers):
        return logger
    logger.propagate = False  # what nodes see of the root logger is theirs
    logger.setLevel(level)
    try:
        (state / FOLDER).mkdir(exist_ok=True)
        handler: logging.Handler = SharedFile(state / FOLDER / FILE)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines(process, Secrets(os.environ)))
    logger.addHandler(handler)
    return logger


def telling(tell: Callable[[str], None], logger: logging.Logger) -> Callable[[str], None]:
    """Return a function that gives a sentence to `tell` and to the log."""

    def both(sentence: str) -> None:
        logger.info(sentence)
        tell(sentence)

    return both


class Secrets:
    """Replaces the values of variables that are named like secrets.

    Args:
        environment: Variables by name.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        found = {
            form: name
            for name, value in environment.items()
            if _SECRET.search(name) and len(value) >= _SHORTEST
            for form in (value, json.dumps(value)[1:-1])
        }
        self._names = found
        longest_first = sorted(found, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if found else None

    def hide(self, text: str) -> str:
        """Return `text` with each value replaced by the name of its variable."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: f"[{self._names[found[0]]}]", text)


class JsonLines(logging.Formatter):
    """One JSON object a record: at, level, process, pid, message, and what `extra` gave."""

    def __init__(self, process: str, secrets: Secrets) -> None:
        super().__init__()
        self._process = process
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "process": self._process,
            "pid": record.process,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return RESOLVED.text(self._secrets.hide(json.dumps(line, default=str)))


class SharedFile(WatchedFileHandler):
    """A file to which several processes append whole lines, and which any of them puts aside.

    Args:
        path: The file.
        largest: It is put aside when it is larger, in bytes.
        kept: How many older files are kept.
    """

    def __init__(self, path: Path, largest: int = LARGEST, kept: int = KEPT) -> None:
        super().__init__(path, encoding="utf-8")
        self._largest = largest
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record; a line that cannot be written is done without."""
        with suppress(OSError, ValueError):
            self.reopenIfNeeded()
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            assert self.stream is not None
            os.write(self.stream.fileno(), line)  # one write of an appending file stays whole
            if os.fstat(self.stream.fileno()).st_size > self._largest:
                self._put_aside()

    def _put_aside(self) -> None:
        """Number the older files anew, unless another process has done so just now."""
        path = Path(self.baseFilename)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_size > self._largest:
                for number in range(self._kept - 1, 0, -1):
                    older = path.with_suffix(f".{number}.jsonl")
                    if older.exists():
                        older.replace(path.with_suffix(f".{number + 1}.jsonl"))
                path.replace(path.with_suffix(".1.jsonl"))
