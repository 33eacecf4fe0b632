"""Executes the cells of a notebook in a kernel and keeps what they show, live and in the file."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from iaiflow_lab.model.event import CellFinished, CellStarted, EnvironmentRecorded
from iaiflow_lab.notebook import environment, failure, resource_limits
from iaiflow_lab.notebook.kernel_process import KernelProcess, memory_limit
from iaiflow_lab.notebook.live_output import LiveOutput, size_of
from iaiflow_lab.notebook.output_file import OutputFile
from iaiflow_lab.notebook.session import Session
from iaiflow_lab.notebook.text import (
    CELL_LIMIT,
    FILE_LIMIT,
    Overflow,
    StreamText,
    clean,
    clean_data,
)
from iaiflow_lab.safe.redact import RESOLVED

#: How often cancellation, the whole notebook's time and the output file are looked at, in seconds.
_LOOK = 0.1
#: How long the last outputs of a dead kernel are waited for, in seconds.
_LAST_OUTPUTS = 0.3
#: How long the outputs of a cell that has replied are waited for, in seconds; a kernel that cannot
#: send one of them may never say that it was the last.
_OUTPUTS = 30
#: Arguments of sys.exit() that mean success, as the kernel spells them; papermill knows the first
#: two.
_SUCCESS = frozenset({"", "0", "None"})

#: nbclient's own remarks; what matters of them is in the errors and events.
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


class _EndOfNotebookError(Exception):
    """A cell asked to end the notebook here, successfully."""


class LiveClient(NotebookClient):
    """nbclient's handling of outputs, under our own clock and with our own limits.

    Args:
        manager: papermill's execution manager, which notes times and states in the metadata.
        session: What else the execution needs.
        file: The output notebook.
    """

    def __init__(self, manager: Any, session: Session, file: OutputFile) -> None:
        super().__init__(
            manager.nb,
            log=_log,
            iopub_timeout=_OUTPUTS,
            on_cell_executed=self._after_reply,
        )
        self._manager = manager
        self._session = session
        self._file = file
        self._kernel: KernelProcess
        self._cell = CellText(session, 0, NotebookNode(outputs=[]))
        self._deadline = monotonic() + session.timeout if session.timeout else None
        self._reply: dict[str, Any] = {}
        self._listens = True
        self._has_started = False

    async def run(self, kernel_name: str) -> None:
        """Start the kernel, execute every cell, and end the kernel whatever happens.

        Raises:
            NotebookError: A cell raised or took too long, or the kernel failed.
            BaseException: What `session.stopped` gave.
        """
        session = self._session
        log = session.run_dir / "kernel.log"
        self._kernel = KernelProcess(kernel_name, log, session.sockets, session.kernel_limits)
        watch = asyncio.create_task(self._watch())
        try:
            await self._until(
                watch,
                self._kernel.start(session.folder, session.environment, session.start_timeout),
            )
            self._has_started = True
            self.km, self.kc = self._kernel.manager, self._kernel.client
            self.nb.metadata["language_info"] = self._kernel.language_info
            self._record_facts({"kernel_start": self._kernel.origin})
            if session.ask_environment:
                await self._until(watch, self._ask_environment())
            with suppress(_EndOfNotebookError):
                for index, cell in enumerate(self.nb.cells):
                    await self._run_cell(watch, cell, index)
            self.set_widgets_metadata()
        finally:
            politely = self._listens and not watch.done()
            watch.cancel()
            await self._kernel.close(politely=politely)
            _hide_in(log)

    async def _until(self, watch: asyncio.Task[BaseException], work: Any) -> None:
        """Wait for `work` unless the watch ends first."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and not isinstance(watch.result(), DeadKernelError):
            await _abandon(task)
            raise watch.result()
        await task  # a kernel that died while starting has its own words

    async def _ask_environment(self) -> None:
        """Record what a kernel on another interpreter consists of, if it is Python."""
        if self._kernel.language_info.get("name") != "python":
            return
        facts = await self._kernel.evaluate(environment.QUESTION)
        if facts is not None:
            self._record_facts({"kernel_environment": facts})

    def _record_facts(self, facts: dict[str, Any]) -> None:
        self._session.record(EnvironmentRecorded(at=self._session.now(), facts=facts))

    async def _run_cell(
        self, watch: asyncio.Task[BaseException], cell: NotebookNode, index: int
    ) -> None:
        if cell.cell_type != "code" or not cell.source.strip():
            return
        skipped = self.skip_cells_with_tag in cell.metadata.get("tags", [])
        started = monotonic()
        state = "failed"
        self._cell = CellText(self._session, index, cell)
        if not skipped:
            now, step = self._session.now(), self._session.step
            event = CellStarted(at=now, step=step, index=index, cell_id=cell.get("id", ""))
            self._session.record(event)
        self._manager.cell_start(cell, index)
        try:
            await self._execute(watch, cell, index)
            state = "skipped" if skipped else "completed"
        except _EndOfNotebookError:
            state = "completed"
            raise
        except failure.ParkedError:
            state = "waiting"
            raise
        except Exception as error:
            self._manager.cell_exception(cell, cell_index=index, exception=error)
            raise
        finally:
            self._cell.close()
            self._manager.cell_complete(cell, cell_index=index)
            self._file.cell_ended()
            self._session.record(
                CellFinished(
                    at=self._session.now(),
                    step=self._session.step,
                    index=index,
                    state=state,
                    duration_s=monotonic() - started,
                )
            )

    async def _execute(
        self, watch: asyncio.Task[BaseException], cell: NotebookNode, index: int
    ) -> None:
        """Execute a cell until it ends, its time is over, or the watch says to stop."""
        place = self._session.place(index, cell.source)
        self._kernel.client.session.metadata = {
            "cellId": cell.get("id", "")
        }  # a flow in it knows its cell
        work = asyncio.create_task(self.async_execute_cell(cell, index))
        await self._first_of(work, watch)
        if not work.done():
            await self._stop(work, watch)
            raise self._reason(watch, place)
        try:
            await work
        except CellExecutionError as error:
            self._judge(error, place)
        except DeadKernelError:
            raise self._obituary(place) from None
        payload: list[dict[str, Any]] = self._reply.get("payload") or []
        if any(entry.get("source") == "ask_exit" for entry in payload):
            raise _EndOfNotebookError  # `exit()` ends the kernel after this reply

    async def _first_of(self, work: asyncio.Task[Any], watch: asyncio.Task[Any]) -> None:
        """Wait for the cell, the watch, or the cell's time limit, which no waiting counts for."""
        limit, rested = self._session.cell_timeout, self._session.rested
        started = monotonic() - rested()
        left = limit
        while left is None or left > 0:
            await asyncio.wait({work, watch}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if limit is None or work.done() or watch.done():
                return
            left = limit - (monotonic() - rested() - started)

    async def _stop(
        self, work: asyncio.Task[NotebookNode], watch: asyncio.Task[BaseException]
    ) -> None:
        """Interrupt the cell and give it a moment to end by itself; one that waits just ends."""
        grace = _LAST_OUTPUTS
        reason = watch.result() if watch.done() else None
        if isinstance(reason, failure.ParkedError):
            grace = 0.0
            self._cell.stream("stderr", f"[{reason.what}]\n")
        elif not self._kernel.died.is_set():
            await self._kernel.interrupt()
            grace = self._session.grace
        await asyncio.wait({work}, timeout=grace)
        self._listens = work.done()
        await _abandon(work)

    def _reason(self, watch: asyncio.Task[BaseException], place: str) -> BaseException:
        if watch.done():
            reason = watch.result()
            return self._obituary(place) if isinstance(reason, DeadKernelError) else reason
        return failure.CellTimeoutError(
            f"The cell ran longer than {self._session.cell_timeout:g} s.",
            where=place,
            remedy="Allow more time for a cell, or make it quicker.",
        )

    def _obituary(self, place: str) -> BaseException:
        kernel = self._kernel
        return failure.obituary(
            kernel.exit_status, kernel.memory, memory_limit(), place, kernel.limits
        )

    def _judge(self, error: CellExecutionError, place: str) -> None:
        if error.ename == "SystemExit" and error.evalue in _SUCCESS:
            raise _EndOfNotebookError
        lines: list[str] = self._reply.get("traceback") or []
        met = resource_limits.explain(self._kernel.limits, error.ename, error.evalue)
        raise failure.CellError(place, error.ename, error.evalue, lines, remedy=met) from None

    async def _watch(self) -> BaseException:
        """Wait until something ends the notebook from outside, and return what it is."""
        while True:
            if reason := self._session.stopped():
                return reason
            active = monotonic() - self._session.rested()
            if self._deadline is not None and active > self._deadline:
                return failure.NotebookTimeoutError(
                    f"The notebook ran longer than {self._session.timeout:g} s.",
                    where=self._session.source,
                    remedy="Allow more time for the whole notebook.",
                )
            if self._file.is_behind:
                self._write()
            if not self._has_started:  # its start knows what to do about its end
                await asyncio.sleep(_LOOK)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._kernel.died.wait(), _LOOK)
                return DeadKernelError("Kernel died")

    def _after_reply(
        self, *, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any] | None
    ) -> None:
        del cell, cell_index
        self._reply = (execute_reply or {}).get("content", {})

    def output(
        self,
        outs: list[NotebookNode],
        msg: dict[str, Any],
        display_id: str | None,
        cell_index: int,
    ) -> NotebookNode | None:
        """Take one output, within the limits."""
        hooked = bool(self.output_hook_stack[msg["parent_header"].get("msg_id", "")])
        if not hooked and not self._cell.admits(msg):
            return None
        if msg["msg_type"] == "stream" and not hooked:
            self._clear_if_asked(outs, cell_index)
            self._cell.stream(msg["content"]["name"], msg["content"]["text"])
            made = None
        else:
            msg["content"] = RESOLVED.data(clean_data(msg["content"]))
            self._cell.end_stream()
            made = super().output(outs, msg, display_id, cell_index)
            if made is not None:
                self._cell.live.show(dict(made))
        self._file_soon()
        return made

    def _clear_if_asked(self, outs: list[NotebookNode], cell_index: int) -> None:
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False

    def clear_output(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the cell's output, now or with the next one."""
        self._cell.end_stream()
        self._cell.live.clear()
        super().clear_output(outs, msg, cell_index)

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        msg["content"] = RESOLVED.data(clean_data(msg["content"]))
        super()._update_display_id(display_id, msg)
        self._file_soon()

    def _file_soon(self) -> None:
        if self._file.due:
            self._write()

    def _write(self) -> None:
        self._cell.settle()
        self._file.save()


class CellText:
    """The outputs of one cell: its streams joined and folded, and no more than fits.

    Args:
        session: Told what appears.
        index: The cell's position, from 0.
        cell: The cell, whose `outputs` grow.
    """

    def __init__(self, session: Session, index: int, cell: NotebookNode) -> None:
        #: Sends the outputs to the journal.
        self.live = LiveOutput(session, index)
        self._session = session
        self._index = index
        self._cell = cell
        self._left = CELL_LIMIT
        self._open: tuple[NotebookNode, StreamText] | None = None
        self._overflow: Overflow | None = None
        #: What hides secrets in each stream: one may come in pieces.
        self._hiding = {name: RESOLVED.stream() for name in ("stdout", "stderr")}

    def admits(self, msg: dict[str, Any]) -> bool:
        """Count a rich output, and say whether it still fits; one that does not leaves a note."""
        data: dict[str, Any] = msg["content"].get("data") or {}
        size = sum(size_of(value) for value in data.values())
        if size <= self._left:
            self._left -= size
            return True
        limit = _megabytes(CELL_LIMIT)
        note = f"[An output of {size / 1e6:.1f} MB was left out: a cell keeps {limit}]\n"
        self._append("stderr", note)
        return False

    def stream(self, name: str, text: str) -> None:
        """Add text of `stdout` or `stderr`."""
        hiding = self._hiding.get(name)
        self._keep(name, clean(text) if hiding is None else hiding.feed(clean(text)))

    def _keep(self, name: str, text: str) -> None:
        if self._overflow is not None:
            self._overflow.write(text)
            return
        kept, rest = text[: self._left], text[self._left :]
        self._left -= len(kept)
        self._append(name, kept)
        if rest:
            self._overflow = self._start_overflow()
            self._overflow.write(rest)

    def _append(self, name: str, text: str) -> None:
        if self._open is None or self._open[0]["name"] != name:
            self.end_stream()
            node = NotebookNode(output_type="stream", name=name, text="")
            self._cell.outputs.append(node)
            self._open = (node, StreamText())
        self._open[1].add(text)
        self.live.stream(name, text)

    def _start_overflow(self) -> Overflow:
        self.settle()
        path = self._session.run_dir / f"cell-{self._index + 1}.log"
        overflow = Overflow(path)
        for output in self._cell.outputs:
            if output["output_type"] == "stream":
                overflow.write(output["text"])
        note = (
            f"\n[Output cut at {_megabytes(CELL_LIMIT)}; full log is an artifact, "
            f"{path.name} (limit {_megabytes(FILE_LIMIT)})]\n"
        )
        self._append("stderr", note)
        return overflow

    def settle(self) -> None:
        """Put the text so far into the notebook."""
        if self._open is not None:
            node, text = self._open
            node["text"] = str(text)

    def end_stream(self) -> None:
        """End the stream that is being written; what follows stands after it."""
        self.settle()
        self._open = None

    def close(self) -> None:
        """End the cell: send what waits and keep the text that did not fit."""
        for name, hiding in self._hiding.items():
            if rest := hiding.end():
                self._keep(name, rest)
        self.end_stream()
        self.live.flush()
        if self._overflow is not None:
            self._overflow.close()
            self._session.keep(self._overflow.path.name, self._overflow.path)
            self._overflow = None


def _megabytes(characters: int) -> str:
    return f"{characters / 1e9:g} GB" if characters >= 1e9 else f"{characters / 1e6:g} MB"


def _hide_in(log: Path) -> None:
    """Cut secrets out of what the kernel's process printed, past its cells."""
    with suppress(OSError):
        if RESOLVED and RESOLVED.is_in(content := log.read_bytes()):
            log.write_bytes(RESOLVED.content(content))


async def _abandon(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
