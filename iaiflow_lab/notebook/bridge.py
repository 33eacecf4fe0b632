"""The worker's end of the socket through which a kernel records steps under its run's fence."""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from iaiflow_lab.errors import LabError, StaleFenceError
from iaiflow_lab.notebook import wire
from iaiflow_lab.notebook.flow_calls import FlowCalls
from iaiflow_lab.notebook.sockets import make_socket_folder
from iaiflow_lab.sdk.context import Context, Delegate


class Bridge:
    """Serves one kernel on a private Unix socket; use as a context manager.

    Args:
        context: The notebook's step.
        untrusted: Whether strangers may have written some of the notebook's parameters.
    """

    def __init__(self, context: Context, *, untrusted: bool = False) -> None:
        #: Set when another worker holds the run: the notebook must end.
        self.stale: StaleFenceError | None = None
        self._context = context
        self._untrusted = untrusted
        self._delegate = context.delegate()
        self._calls = FlowCalls(context.step, context.attempt, self._delegate, context.now)
        self._token = secrets.token_urlsafe(32)
        #: Private folder of the socket, and of the kernel's own.
        self.folder = make_socket_folder()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = False

    @property
    def environment(self) -> dict[str, str]:
        """What the kernel needs in its environment."""
        return {wire.SOCKET: str(self.folder / "run"), wire.TOKEN: self._token}

    @property
    def delegate(self) -> Delegate:
        """The door to the run."""
        return self._delegate

    def __enter__(self) -> Self:
        """Open the socket."""
        path = self.folder / "run"
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the socket and everything behind it."""
        self._closing = True
        for connection in (self._listener, *self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, name="notebook-bridge", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(wire.LostError):
            if not self._greet(connection):
                return
            while not self._closing:
                request, body = wire.receive_request(connection)
                answer, result = self._answer(request, body)
                wire.send(connection, answer, result)

    def _greet(self, connection: socket.socket) -> bool:
        request, _ = wire.receive_request(connection)
        given = request.token if isinstance(request, wire.Hello) else ""
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            wire.send(connection, wire.Refused("not-allowed", "The token is wrong."))
            return False
        context = self._context
        welcome = wire.Welcome(
            run_id=context.run_id,
            step=context.step,
            attempt=context.attempt,
            workspace=os.fspath(context.workspace),
            folder=os.fspath(context.folder),
            run_dir=os.fspath(context.run_dir),
            untrusted=self._untrusted,
            budgets=list(context.budgets),
        )
        wire.send(connection, welcome)
        return True

    def _answer(self, request: wire.AnyRequest, body: bytes) -> tuple[wire.Answer, bytes]:
        try:
            return self._perform(request, body)
        except StaleFenceError as error:
            self.stale = error
            return wire.Refused(error.code, error.what, error.where, error.remedy), b""
        except LabError as error:
            return wire.Refused(error.code, error.what, error.where, error.remedy), b""
        except Exception as error:
            return wire.Refused("error", f"{type(error).__name__}: {error}"), b""

    def _perform(self, request: wire.AnyRequest, body: bytes) -> tuple[wire.Answer, bytes]:
        match request:
            case wire.Hello():
                return wire.Refused("conflict", "The connection is open already."), b""
            case wire.OpenCall():
                return self._calls.open(request), b""
            case wire.Append(events=events):
                self._delegate.append(events)
                return wire.Done(), b""
            case wire.AskAnswers():
                return wire.Ended(list(self._delegate.answers())), b""
            case wire.AskRecorded(keys=keys):
                return wire.Recorded(list(self._delegate.recorded(keys))), b""
            case wire.AskSecret(name=name):
                return wire.Told(*self._delegate.secret(name)), b""
            case _:
                return self._lend(request, body)

    def _lend(
        self,
        request: wire.PutArtifact | wire.GetArtifact | wire.CacheGet | wire.CachePut,
        body: bytes,
    ) -> tuple[wire.Answer, bytes]:
        """Answer what is about stored bytes and outputs."""
        match request:
            case wire.PutArtifact():
                return wire.Stored(self._delegate.put_artifact(body)), b""
            case wire.GetArtifact(digest=digest):
                return wire.Done(), self._delegate.get_artifact(digest)
            case wire.CacheGet(keys=keys):
                found = self._delegate.cache_get(keys)
                return wire.Cached({key: dict(outputs) for key, outputs in found.items()}), b""
            case wire.CachePut(key=key, outputs=outputs, ttl=ttl):
                self._delegate.cache_put(key, outputs, ttl)
                return wire.Done(), b""
