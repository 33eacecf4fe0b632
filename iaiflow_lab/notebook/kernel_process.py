"""One kernel: its process, its sockets, and the certainty that it does not outlive its run."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import psutil

from iaiflow_lab.notebook.failure import KernelStartError
from iaiflow_lab.notebook.kernels import has_ipython_folder, spec_manager
from iaiflow_lab.notebook.sockets import SOCKET_PATH, make_socket_folder
from iaiflow_lab.notebook.warm_kernels import STATUS_UNKNOWN, WarmKernel

#: Waits for its input to close, which happens when the process that holds it dies; then ends the
#: kernel's process group and removes its sockets.
_WATCHDOG = 'read -r _; kill -s KILL -- "-$0" 2>/dev/null; rm -rf -- "$1"'
#: How often memory and forgotten messages are looked for, in seconds.
_LOOK = 0.1
#: How long a kernel may take to say goodbye, in seconds.
_GOODBYE = 5.0
#: Ends an IPython kernel in order.
_END_LOOP = "(lambda loop: loop.add_callback(loop.stop))(get_ipython().kernel.io_loop)"
#: Kept from the end of the kernel's log for messages, in characters.
_LOG_TAIL = 2_000


class KernelProcess:
    """A kernel from its start to its end.

    Args:
        name: An installed kernel.
        log: The file that takes what the process itself prints.
        sockets: A private folder with a short name, which goes with the kernel; None: a new one.
        limits: What it may use at most, as `resource_limits` has it.
    """

    def __init__(
        self,
        name: str,
        log: Path,
        sockets: Path | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.name = name
        #: What it may use at most.
        self.limits = limits or {}
        #: Set when the process has ended.
        self.died = asyncio.Event()
        #: The most memory that was seen in use, in bytes.
        self.memory = 0
        #: What the kernel says about its language, once it is ready.
        self.language_info: dict[str, Any] = {}
        self._log = log
        self._folder = sockets or make_socket_folder()
        self._manager: Any = None
        self._client: Any = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._pidfd = -1

    @property
    def manager(self) -> Any:
        """Its jupyter_client manager."""
        return self._manager

    @property
    def client(self) -> Any:
        """Its jupyter_client client, once it is ready."""
        return self._client

    @property
    def origin(self) -> str:
        """`warm` when it was taken from a fork server, else `cold` and why."""
        provisioner: Any = self._manager.provisioner
        if self._taken is not None:
            return "warm"
        return f"cold: {getattr(provisioner, 'why_cold', 'It has a provisioner of its own.')}"

    @property
    def _taken(self) -> WarmKernel | None:
        """The process of a kernel that was taken from a fork server."""
        process = getattr(self._manager.provisioner, "process", None)
        return process if isinstance(process, WarmKernel) else None

    @property
    def _is_ipykernel(self) -> bool:
        return any("ipykernel" in word for word in self._manager.kernel_spec.argv)

    @property
    def exit_status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        process = getattr(self._manager.provisioner, "process", None)
        status: int | None = None if process is None else process.poll()
        return None if status == STATUS_UNKNOWN and self._taken is not None else status

    async def start(self, folder: Path, environment: Mapping[str, str], timeout: float) -> None:
        """Start the process and wait until it answers.

        Nothing of the user's has run by then, so a kernel that was taken and does not answer is
        replaced by one that is started from nothing.

        Args:
            folder: Its working directory.
            environment: Added to the environment of this process.
            timeout: Longest time until it answers, in seconds.

        Raises:
            KernelStartError: It did not come up.
        """
        await self._launch(folder, environment)
        try:
            await self._await_ready(timeout)
        except KernelStartError as error:
            if self._taken is None:
                raise
            await self._end()
            self.died = asyncio.Event()
            await self._launch(folder, environment, f"The warm kernel failed: {error.what}")
            await self._await_ready(timeout)
        if self._taken is not None:
            self._taken.remove_after(str(self._folder))

    async def _launch(
        self, folder: Path, environment: Mapping[str, str], refusal: str = ""
    ) -> None:
        """Start the process; `refusal` says why none may be taken from a fork server."""
        self._manager = self._make_manager(refusal)
        arguments = ["--HistoryManager.hist_file=:memory:"] if self._is_ipykernel else []
        with self._log.open("wb") as log:
            try:
                await self._manager.start_kernel(
                    cwd=str(folder),
                    env={**os.environ, **self._own_places(), **environment},
                    extra_arguments=arguments,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            except OSError as error:
                raise KernelStartError(
                    f"Kernel {self.name!r} can't be started: {error.strerror}.",
                    where=str(error.filename or folder),
                ) from error
        self._watch()

    def _make_manager(self, refusal: str) -> Any:
        from jupyter_client.manager import AsyncKernelManager

        from iaiflow_lab.notebook.provisioner import WarmProvisioner

        connection = self._folder / "kernel.json"
        manager: Any = AsyncKernelManager(
            kernel_name=self.name,
            kernel_spec_manager=spec_manager(),
            connection_file=str(connection),
            shutdown_wait_time=0,
        )
        if len(os.fsencode(connection)) < SOCKET_PATH:
            manager.transport, manager.ip = "ipc", str(self._folder / "k")
        spec = manager.kernel_spec
        if "kernel_provisioner" not in spec.metadata:  # some kernels are started elsewhere
            manager.provisioner = WarmProvisioner(kernel_spec=spec, parent=manager)
            manager.provisioner.limits = self.limits
            manager.provisioner.refusal = refusal
        return manager

    def _own_places(self) -> dict[str, str]:
        """Return the environment that gives IPython a private folder where there is no home."""
        return {} if has_ipython_folder() else {"IPYTHONDIR": str(self._folder / "ipython")}

    def _watch(self) -> None:
        provisioner: Any = self._manager.provisioner
        pid: int | None = getattr(provisioner, "pid", None)
        if pid is not None and self._taken is None:
            self._watchdog = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, str(pid), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", os.defpath)},
                start_new_session=True,
            )
        if pid is not None and hasattr(os, "pidfd_open"):
            with suppress(OSError):
                self._pidfd = os.pidfd_open(pid)
                asyncio.get_running_loop().add_reader(self._pidfd, self._ended)
        self._watching = asyncio.create_task(self._poll())

    def _ended(self) -> None:
        self.died.set()
        asyncio.get_running_loop().remove_reader(self._pidfd)

    async def _poll(self) -> None:
        """Notice the end of the process where nothing else does, and its memory."""
        pid: int | None = getattr(self._manager.provisioner, "pid", None)
        while await self._manager.is_alive():
            with suppress(psutil.Error):
                self.memory = max(self.memory, psutil.Process(pid).memory_info().rss)
            self._look_again()
            await asyncio.sleep(_LOOK)
        self.died.set()

    def _look_again(self) -> None:
        """Deliver messages that came unnoticed.

        jupyter_client sends past the event loop, which may swallow the signal of a message that
        came in at that moment; looking at the socket's events brings it back.
        """
        import zmq

        if self._client is not None and self._client.channels_running:
            for channel in (self._client.shell_channel, self._client.iopub_channel):
                channel.socket.get(zmq.EVENTS)

    async def _await_ready(self, timeout: float) -> None:
        """Wait for a reply, and for the sign on the output channel that belongs to it.

        The second shows that the output channel is joined: nothing of the first cell is lost.
        """
        import zmq

        self._manager.context.setsockopt(zmq.RCVHWM, 0)  # outputs queue up here, none is dropped
        self._client = self._manager.client()
        # The end of the process is noticed without heartbeats, and stopping their thread before it
        # has begun would wait for ever.
        self._client.start_channels(stdin=False, hb=False)
        try:
            async with asyncio.timeout(timeout):
                while not await self._answers():
                    if self.died.is_set():
                        raise KernelStartError(
                            f"Kernel {self.name!r} did not start (exit code {self.exit_status}).",
                            where=str(self._log),
                            remedy=self.last_words(),
                        )
        except TimeoutError:
            raise KernelStartError(
                f"Kernel {self.name!r} gave no answer within {timeout:g} s of its start.",
                where=str(self._log),
                remedy=self.last_words() or "Try again, or allow more time for the start.",
            ) from None

    async def _answers(self) -> bool:
        asked = self._client.kernel_info()
        reply = await self._next(self._client.shell_channel, asked, 1.0)
        if reply is None:
            return False
        self.language_info = reply["content"].get("language_info", {})
        while status := await self._next(self._client.iopub_channel, asked, 0.2):
            if status["content"].get("execution_state") == "idle":
                return True
        return False

    async def _next(self, channel: Any, asked: str, timeout: float) -> dict[str, Any] | None:
        """Return the channel's next message about request `asked`; None when none comes."""
        with suppress(Empty):
            while not self.died.is_set():
                message: dict[str, Any] = await channel.get_msg(timeout=timeout)
                if message["parent_header"].get("msg_id") == asked:
                    return message
        return None

    async def evaluate(self, expression: str, timeout: float = 10.0) -> Any:
        """Return what a Python expression that makes a JSON text stands for; None if it fails.

        Args:
            expression: Evaluated without leaving a trace in the notebook.
            timeout: Longest time for the answer, in seconds.
        """
        asked = self._client.execute(
            "", silent=True, store_history=False, user_expressions={"answer": expression}
        )
        reply = await self._next(self._client.shell_channel, asked, timeout)
        try:
            shown = (reply or {})["content"]["user_expressions"]["answer"]["data"]["text/plain"]
            return json.loads(ast.literal_eval(shown))
        except (KeyError, ValueError, SyntaxError):
            return None

    def last_words(self) -> str:
        """Return the last line that the process itself printed; "" without any."""
        with suppress(OSError):
            tail = self._log.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()
            return tail.splitlines()[-1].strip() if tail else ""
        return ""

    async def interrupt(self) -> None:
        """Interrupt what it executes, as Ctrl-C does."""
        with suppress(RuntimeError, OSError):
            await self._manager.interrupt_kernel()

    async def close(self, *, politely: bool) -> None:
        """End the process and everything that it started in its group.

        Args:
            politely: Let it say goodbye first, so that its exit handlers run.
        """
        if politely and self._client is not None and not self.died.is_set():
            self._ask_to_end()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.died.wait(), _GOODBYE)
        await self._end()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._dismiss_watchdog()

    async def _end(self) -> None:
        """Kill what is left of the process, and let go of it."""
        await self._kill_group()
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if self._watching is not None:
            self._watching.cancel()
        if self._client is not None:
            self._client.stop_channels()
            self._client = None
        if self._manager is not None:
            await self._manager.cleanup_resources()

    def _ask_to_end(self) -> None:
        if self._is_ipykernel:
            # A shutdown request makes ipykernel 7 wait 10 s for its output thread, now and then;
            # ask_exit() waits 0.1 s for a reply to reach somebody.
            self._client.execute(_END_LOOP, silent=True, store_history=False)
        else:
            self._client.shutdown()

    async def _kill_group(self) -> None:
        provisioner = getattr(self._manager, "provisioner", None)
        pid: int | None = getattr(provisioner, "pid", None)
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        if provisioner is not None:
            if pid is None:
                await provisioner.kill()
            await provisioner.wait()

    def _dismiss_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None


def memory_limit() -> int | None:
    """Return the memory limit of this process's control group, in bytes; None without one."""
    with suppress(OSError, ValueError):
        return int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    return None
