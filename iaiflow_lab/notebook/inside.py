"""The kernel's end: a flow that runs in a notebook which is itself a run belongs to that run."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iaiflow_lab.errors import LabError, NotFoundError, RunError, StaleFenceError
from iaiflow_lab.model.event import (
    Event,
    OutputRef,
    StepFinished,
    StepWaiting,
    SubstepRecorded,
    WaitAnswered,
)
from iaiflow_lab.notebook import wire


class WorkerLostError(RunError):
    """The worker that runs this notebook can no longer be reached."""

    code = "worker-lost"


@dataclass(frozen=True, slots=True)
class FlowCall:
    """One run of a flow inside the notebook's run."""

    #: Put before the path of each of its steps, e.g. `report/2:`.
    prefix: str
    #: Its settled steps that an earlier execution of the notebook recorded, by path.
    steps: Mapping[str, StepFinished]
    #: Its recorded sub-steps, by step path and key.
    substeps: Mapping[tuple[str, str], SubstepRecorded]
    #: What its steps waited for then, by step path and key.
    waits: Mapping[tuple[str, str], StepWaiting]
    #: How waits of it ended, by step path and key.
    answers: Mapping[tuple[str, str], WaitAnswered]


class RunJournal:
    """Records events in the notebook's run."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def append(self, events: Sequence[Event]) -> None:
        """Record `events` in order, all or none.

        Raises:
            StaleFenceError: Another worker holds the run; nothing was recorded.
            WorkerLostError: The worker is gone.
        """
        self._line.ask(wire.Append(list(events)))  # type: ignore[arg-type]

    def answers(self) -> list[WaitAnswered]:
        """End the waits whose moment has come, and return how all in the notebook ended.

        Raises:
            StaleFenceError: Another worker holds the run.
            WorkerLostError: The worker is gone.
        """
        answer, _ = self._line.ask(wire.AskAnswers())
        assert isinstance(answer, wire.Ended)
        return answer.answers


class RunSecrets:
    """Secrets of the run's project, each asked for once."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._known: dict[str, wire.Told] = {}

    def get(self, name: str) -> str:
        """Return the secret.

        Raises:
            NotFoundError: It is not set in this project.
            WorkerLostError: The worker is gone.
        """
        return self._ask(name).value

    def version(self, name: str) -> int:
        """Return its version.

        Raises:
            NotFoundError: It is not set in this project.
            WorkerLostError: The worker is gone.
        """
        return self._ask(name).version

    def _ask(self, name: str) -> wire.Told:
        if name not in self._known:
            answer, _ = self._line.ask(wire.AskSecret(name))
            assert isinstance(answer, wire.Told)
            self._known[name] = answer
        return self._known[name]


class RunArtifacts:
    """The worker's artifacts."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def put(self, data: bytes | memoryview) -> str:
        """Store `data` and return its SHA-256 in hex."""
        answer, _ = self._line.ask(wire.PutArtifact(), bytes(data))
        assert isinstance(answer, wire.Stored)
        return answer.digest

    def get(self, digest: str) -> bytes:
        """Return the bytes.

        Raises:
            NotFoundError: Nothing is stored under `digest`.
        """
        return self._line.ask(wire.GetArtifact(digest))[1]

    def path(self, digest: str) -> Path | None:
        """Return None: the bytes come over the line."""
        del digest


class RunCache:
    """The worker's outputs of earlier steps."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def get_many(self, keys: Sequence[str]) -> dict[str, Mapping[str, OutputRef]]:
        """Return the stored outputs of those `keys` that are known."""
        answer, _ = self._line.ask(wire.CacheGet(list(keys)))
        assert isinstance(answer, wire.Cached)
        return dict(answer.outputs)

    def put(self, key: str, outputs: Mapping[str, OutputRef], ttl: float | None) -> None:
        """Remember `outputs` under `key`, for `ttl` seconds or for good (None)."""
        self._line.ask(wire.CachePut(key, dict(outputs), ttl))


class InsideRun:
    """The run that this kernel is part of.

    Args:
        line: The open connection to its worker.
        welcome: What the worker said of the run.
    """

    def __init__(self, line: _Line, welcome: wire.Welcome) -> None:
        self.run_id = welcome.run_id
        #: Path of the notebook's step.
        self.step = welcome.step
        #: Calls of that step so far, this one included.
        self.attempt = welcome.attempt
        self.workspace = Path(welcome.workspace)
        #: The notebook's folder.
        self.folder = Path(welcome.folder)
        #: The run's own folder.
        self.run_dir = Path(welcome.run_dir)
        #: Whether strangers may have written some of the notebook's parameters.
        self.untrusted = welcome.untrusted
        #: What models may take: in all of it, and in parts of it.
        self.budgets = welcome.budgets
        self.journal = RunJournal(line)
        self.artifacts = RunArtifacts(line)
        self.secrets = RunSecrets(line)
        self.cache = RunCache(line)
        self._line = line

    @property
    def is_connected(self) -> bool:
        """Whether the worker could be reached so far."""
        return self._line.is_open

    def recorded(self, keys: str) -> Sequence[SubstepRecorded]:
        """Return what all steps of the run have recorded so far.

        Args:
            keys: A pattern that keys match as a whole.

        Raises:
            WorkerLostError: The worker is gone.
        """
        answer, _ = self._line.ask(wire.AskRecorded(keys))
        assert isinstance(answer, wire.Recorded)
        return answer.substeps

    def open_call(self, version: str, inputs: Mapping[str, Any]) -> FlowCall:
        """Begin the next flow run inside this run.

        Args:
            version: Version hash of the flow.
            inputs: Values of its parameters.

        Raises:
            StaleFenceError: Another worker holds the run.
            WorkerLostError: The worker is gone.
        """
        asked = wire.OpenCall(current_cell(), version, hash_inputs(inputs))
        answer, _ = self._line.ask(asked)
        assert isinstance(answer, wire.Opened)
        return FlowCall(
            answer.prefix,
            {settled.step: settled for settled in answer.steps},
            {(item.step, item.key): item for item in answer.substeps},
            {(item.step, item.key): item for item in answer.waits},
            {(item.step, item.key): item for item in answer.answers},
        )


class _Line:
    """A connection to the worker that any thread may use, one question at a time."""

    def __init__(self, path: str, token: str) -> None:
        self._lock = threading.Lock()
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.connect(path)
        except OSError as error:
            self._connection.close()
            raise _lost() from error
        answer, _ = self.ask(wire.Hello(token))
        assert isinstance(answer, wire.Welcome)
        self.welcome = answer

    def ask(self, request: wire.Request, body: bytes = b"") -> tuple[wire.AnyAnswer, bytes]:
        """Send a request and wait for its answer.

        Raises:
            LabError: The worker refused.
            WorkerLostError: The worker is gone.
        """
        try:
            with self._lock:
                wire.send(self._connection, request, body)
                answer, result = wire.receive_answer(self._connection)
        except wire.LostError as error:
            self.close()
            raise _lost() from error
        except BaseException:
            self.close()  # interrupted between question and answer: the next answer is not ours
            raise
        if isinstance(answer, wire.Refused):
            if isinstance(request, wire.Hello):
                self.close()
            raise _error(answer)
        return answer, result

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return self._connection.fileno() >= 0

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


_runs: dict[int, InsideRun] = {}
_lock = threading.Lock()


def current_run() -> InsideRun | None:
    """Return the run that this process is part of; None when it is not in a notebook run.

    Raises:
        WorkerLostError: It was started by a worker that is gone.
    """
    path, token = os.environ.get(wire.SOCKET, ""), os.environ.get(wire.TOKEN, "")
    if not path or not token:
        return None
    with _lock:
        run = _runs.get(os.getpid())  # a forked child needs a connection of its own
        if run is None or not run.is_connected:
            line = _Line(path, token)
            run = _runs[os.getpid()] = InsideRun(line, line.welcome)
        return run


def current_cell() -> str:
    """Return the id of the notebook cell that is being executed; "" when it is not known."""
    module = sys.modules.get("IPython")
    shell: Any = module.get_ipython() if module is not None else None
    try:
        return str(shell.get_parent()["metadata"]["cellId"])
    except (AttributeError, KeyError, TypeError):
        return ""


def hash_inputs(inputs: Mapping[str, Any]) -> str:
    """Return a hash of a flow's inputs; one that equals no other when they are not all JSON."""
    try:
        text = json.dumps(dict(inputs), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        return secrets.token_hex(32)
    return hashlib.sha256(text.encode()).hexdigest()


def _lost() -> WorkerLostError:
    return WorkerLostError(
        "The worker that runs this notebook can no longer be reached.",
        remedy="The run will be taken up again from its recorded steps.",
    )


def _error(refused: wire.Refused) -> LabError:
    classes: dict[str, type[LabError]] = {
        StaleFenceError.code: StaleFenceError,
        NotFoundError.code: NotFoundError,
    }
    made = classes.get(refused.code, RunError)
    return made(refused.what, where=refused.where, remedy=refused.remedy, code=refused.code)
