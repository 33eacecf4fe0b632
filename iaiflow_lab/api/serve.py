"""The server of a workspace: API, clock, keeper, messages and workers, from one process."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from time import sleep
from typing import Any, Final

import uvicorn

from iaiflow_lab import log_files, queue
from iaiflow_lab.api.address import KEY_FILE, UNIX, address_of, listening, sole_server
from iaiflow_lab.api.app import create_app
from iaiflow_lab.api.desk import Desk
from iaiflow_lab.errors import UnavailableError
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.notify.dispatcher import Dispatcher
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.scheduler.clock import Clock
from iaiflow_lab.service import open_session
from iaiflow_lab.service.keeper import Keeper
from iaiflow_lab.service.servers import Kind
from iaiflow_lab.settings import load_settings, make_state_dir
from iaiflow_lab.telemetry.exporter import exporter_for
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import Supervisor, Terms
from iaiflow_lab.world import real_world

#: How long open requests may take when the server ends, in seconds.
_LAST_ANSWERS_S: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is served, where, and how."""

    #: The workspace's folder.
    workspace: Path
    #: The Unix socket on which it answers; None: one in a folder of its own, unless on a port.
    socket: Path | None = None
    #: The port on which it answers, on the loopback interface; 0: any that is free.
    port: int | None = None
    #: How many runs are executed at a time; 0: none here.
    workers: int = 1
    #: The queues that they serve.
    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    #: Whether it fires schedules.
    clock: bool = True
    #: Seconds that runs may take to end when the server does.
    grace_s: float = 30.0
    #: A pipe whose other end a parent process holds; the server ends when that closes. None: there
    #: is no such parent.
    parent: int | None = None


class Server:
    """Serves a workspace until it is asked to end.

    Args:
        plan: What is served, where, and how.
        tell: Takes a sentence about what happened, for people.
    """

    def __init__(self, plan: Plan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._address = ""
        #: True for each request to end; False when the workers have ended.
        self._news: SimpleQueue[bool] = SimpleQueue()

    def stop(self, *_: Any) -> None:
        """Ask it to end after the present runs; asked again, to give them back, then to kill.

        May be called from any thread and from a signal handler.
        """
        self._news.put(True)

    def run(self) -> None:
        """Serve; returns when everything has ended.

        Raises:
            ConflictError: Another process serves the workspace.
            LabError: The workspace cannot be used.
        """
        plan = self._plan
        state = make_state_dir(plan.workspace)
        self._tell = log_files.telling(self._tell, log_files.start(state, "serve"))
        with ExitStack() as stack:
            note_address = stack.enter_context(sole_server(state))
            listener = stack.enter_context(listening(plan.socket, plan.port))
            self._address = address_of(listener)
            secret = self._secret(state, stack)
            supervisor = self._supervisor(stack)
            desk = self._start_api(listener, secret, stack)
            note_address(self._address)
            clock = self._start_clock(stack)
            self._start_keeper(stack)
            if traces := exporter_for(plan.workspace, load_settings(plan.workspace)):
                traces.start()
                stack.callback(traces.stop)
            messages = Dispatcher(lambda: open_session(plan.workspace), self._tell)
            messages.start()
            stack.callback(messages.stop)
            workers = Thread(target=self._work, args=(supervisor,), name="supervisor")
            workers.start()
            stack.callback(workers.join)
            stack.callback(supervisor.stop)  # after an error of our own; else it has ended
            self._tell(f"Serving {plan.workspace} at {self._address}; Ctrl-C ends after the runs.")
            if plan.parent is not None:
                Thread(target=self._await_parent, args=(plan.parent,), daemon=True).start()
            while self._news.get():
                desk.draining.set()
                if clock is not None:
                    clock.stop()
                supervisor.stop()
            desk.news.end()

    def _secret(self, state: Path, stack: ExitStack) -> str | None:
        """Return a new secret, left where only this user can read it; None: none is needed."""
        path = state / KEY_FILE
        path.unlink(missing_ok=True)  # of a server that was killed
        if self._plan.parent is None and self._address.startswith(UNIX):
            return None
        secret = secrets.token_urlsafe(32)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(secret)
        stack.callback(path.unlink, missing_ok=True)
        if self._plan.parent is None:
            self._tell(f"The secret of this server is in {path}.")
        return secret

    def _await_parent(self, pipe: int) -> None:
        while os.read(pipe, 1):
            pass
        self.stop()

    def _supervisor(self, stack: ExitStack) -> Supervisor:
        plan, world = self._plan, real_world()
        settings = load_settings(plan.workspace)
        kernels = KernelServer(plan.workspace, settings, tell=self._tell)
        stack.enter_context(kernels)
        terms = Terms(plan.workers, settings.lease_s, drain_s=plan.grace_s)
        return Supervisor(
            queue.connect(str(plan.workspace), world),
            world,
            str(plan.workspace),
            Duty(plan.queues),
            terms,
            tell=self._tell,
            environment=kernels.environment,
        )

    def _start_api(self, listener: socket.socket, secret: str | None, stack: ExitStack) -> Desk:
        """Answer requests from a thread of its own; returns when it does."""
        app = create_app(self._plan.workspace, secret=secret)
        config = uvicorn.Config(
            app,
            log_config=None,  # its own would close the handlers of ours
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )
        api = uvicorn.Server(config)
        thread = Thread(target=api.run, args=([listener],), name="api")
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, api, "should_exit", True)
        while not api.started:
            if not thread.is_alive():
                raise UnavailableError("The API cannot be started; the log says why.")
            sleep(0.01)
        return app.state.desk

    def _start_clock(self, stack: ExitStack) -> Clock | None:
        if not self._plan.clock:
            return None
        kind: Kind = "serve" if self._plan.parent is None else "jupyter"
        clock = Clock(lambda: open_session(self._plan.workspace), kind, self._address, self._tell)
        clock.start()
        stack.callback(clock.stop)
        return clock

    def _start_keeper(self, stack: ExitStack) -> None:
        address = None if self._plan.clock else self._address
        workspace = self._plan.workspace
        keeper = Keeper(lambda: open_session(workspace), self._tell, cleans=True, address=address)
        keeper.start()
        stack.callback(keeper.stop)

    def _work(self, supervisor: Supervisor) -> None:
        try:
            supervisor.run()
        finally:
            self._news.put(False)


def end_on_signals(server: Server) -> None:
    """Let signals ask a server of this process to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, server.stop)
