"""One open canvas: answers its requests and tells it what happens."""

from __future__ import annotations

import platform
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from importlib import metadata
from typing import Any, Final, cast

from iaiflow_lab.canvas import keeping, lost
from iaiflow_lab.canvas.catalog_data import catalog_data, catalog_mark
from iaiflow_lab.canvas.channel import VERSION, Transport
from iaiflow_lab.canvas.desk import Answer, Desk, document, folder_of, open_desk
from iaiflow_lab.canvas.outbox import OUTBOX
from iaiflow_lab.canvas.requests import Hello, Nothing, Request, arguments, find
from iaiflow_lab.canvas.subject import Subject
from iaiflow_lab.errors import ConflictError, FlowError, InputError, LabError
from iaiflow_lab.model import file
from iaiflow_lab.model.json_value import sendable
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.settings import find_workspace

__all__ = ["Session", "Transport", "sessions"]

_lock = threading.Lock()
#: Canvases that have introduced themselves and are open.
_sessions: Final[list[Session]] = []


def sessions() -> list[Session]:
    """Return the canvases that are open."""
    with _lock:
        return list(_sessions)


class _Line:
    """Sends in the context of the canvas's latest message, whatever thread it is.

    What was said and shown in nodes may hold what JSON does not; it must not end the line.

    The kernel notes from which message a comm was answered, and hands the next one of that comm to
    the same subshell; an answer outside of any would move the canvas to the shell of the cells.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._context = copy_context()

    def hear(self) -> None:
        """Note that a message is being handled."""
        self._context = copy_context()

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message."""
        context = self._context.copy()
        try:
            context.run(self._transport.send, message, buffers)
        except (TypeError, ValueError, RecursionError):
            context.run(self._transport.send, sendable(message), buffers)


class Session:
    """One open canvas.

    Args:
        transport: The line to it.
        subject: What it shows; None: `hello` names a document.
    """

    def __init__(self, transport: Transport, subject: Subject | None = None) -> None:
        self._line = _Line(transport)
        self._subject = subject
        self._desk: Desk | None = None
        self._client = ""
        #: What the catalog was when the canvas got it.
        self._mark: Any = None
        self._guard = threading.RLock()
        #: Answers what may take long, so that a run can be stopped meanwhile.
        self._aside: ThreadPoolExecutor | None = None

    @property
    def desk(self) -> Desk | None:
        """What its requests work on; None before it has introduced itself."""
        return self._desk

    def receive(self, message: Mapping[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Take one message of the canvas, on whatever thread it arrives; never raises."""
        del buffers  # no request has any
        self._line.hear()
        if (desk := self._desk) is not None and desk.channel.presence.hear():
            desk.channel.snapshot()  # it comes back, and nobody knows what has reached it
            OUTBOX.wake()
        number = message.get("id")
        if message.get("v") != VERSION:
            self._refuse(number, _other_version(message.get("v")))
            return
        try:
            name, given = message.get("do"), message.get("args")
            if name == "hello":
                self._reply(number, (self._hello(arguments(Hello, given)), ()))
            elif name == "snapshot":
                arguments(Nothing, given)
                channel = self._introduced().channel
                self._reply(number, ({}, ()))
                channel.snapshot()
                OUTBOX.wake()
            else:
                request = find(name)
                self._answer(number, request, arguments(request.arguments, given))
        except Exception as error:
            self._refuse(number, error)

    def close(self) -> None:
        """Forget the canvas; a run that it started goes on."""
        with _lock:
            if self in _sessions:
                _sessions.remove(self)
        with self._guard:
            desk, self._desk = self._desk, None
            aside, self._aside = self._aside, None
        if desk is not None:
            OUTBOX.remove(desk.channel)
            desk.board.close(desk.channel)
        if aside is not None:
            aside.shutdown(wait=False, cancel_futures=True)

    def renew(self) -> None:
        """Tell the canvas what changed outside of it: node types, the flow, what is stale."""
        desk = self._desk
        if desk is None:
            return
        mark = catalog_mark(find_workspace(desk.folder))
        has_new_types, self._mark = mark != self._mark, mark
        if has_new_types:
            self._push_catalog(desk)
        if desk.draft.refresh(desk.subject):
            keeping.share(desk)
        elif has_new_types:
            flow = desk.draft.flow_or_empty()
            desk.channel.push("problems", keeping.problems(flow, desk))
        desk.board.mark_stale(desk.draft.flow_or_empty())
        OUTBOX.wake()

    # -- requests -----------------------------------------------------------------------------

    def _hello(self, asked: Hello) -> dict[str, Any]:
        subject = self._subject or document(asked.path, asked.text)
        text = asked.text if asked.text is not None else file.dump(subject.read())
        self.close()
        self._client = asked.client
        self._replace_earlier()
        desk = open_desk(subject, text, self._line, self.close)
        with self._guard:
            self._desk = desk
        self._mark = catalog_mark(find_workspace(folder_of(subject)))
        with _lock:
            _sessions.append(self)
        OUTBOX.add(desk.channel)
        if lost.may_be(desk):
            self._beside().submit(lost.show, desk)
        types, missing = catalog_data(desk.catalog)
        shown = desk.draft.text
        return {
            "version": metadata.version("iaiflow-lab"),
            "python": platform.python_version(),
            "mode": subject.mode,
            "ahead": subject.is_ahead is not None and subject.is_ahead(),
            "kept": subject.is_kept,
            "path": asked.path or desk.shown_path,
            "text": shown,
            "revision": desk.draft.revision,
            "catalog": types,
            "catalog_problems": missing,
            "problems": _problems(shown, desk),
            "trusted": True,  # a kernel runs what its own user started
        }

    def _replace_earlier(self) -> None:
        """Close what the same canvas left behind when its page was reloaded."""
        for other in sessions():
            if self._client and other is not self and other.is_of(self._client):
                other.close()

    def is_of(self, client: str) -> bool:
        """Say whether this is the canvas that calls itself `client`."""
        return self._client == client

    def _introduced(self) -> Desk:
        desk = self._desk
        if desk is None:
            raise ConflictError("This canvas has not said hello.", remedy="Reload the page.")
        return desk

    def _answer(self, number: Any, request: Request, asked: Any) -> None:
        desk = self._introduced()

        def answer() -> None:
            try:
                found = request.answer(desk, asked)
                is_whole = isinstance(found, tuple)
                given = cast("Answer", found) if is_whole else (found, ())
                self._reply(number, _hidden(given) if request.shows else given)
            except Exception as error:
                self._refuse(number, error)

        if request.is_slow:
            self._beside().submit(answer)
        else:
            answer()

    def _beside(self) -> ThreadPoolExecutor:
        with self._guard:
            if self._aside is None:
                self._aside = ThreadPoolExecutor(2, thread_name_prefix="iaiflow-canvas-look")
            return self._aside

    def _push_catalog(self, desk: Desk) -> None:
        types, missing = catalog_data(desk.catalog)
        desk.channel.push("catalog", types)
        desk.channel.push("catalog_problems", missing)

    # -- replies ------------------------------------------------------------------------------

    def _reply(self, number: Any, answer: Answer) -> None:
        result, buffers = answer
        self._send({"v": VERSION, "reply": number, "result": result}, buffers)

    def _refuse(self, number: Any, error: Exception) -> None:
        self._send({"v": VERSION, "reply": number, "error": told(error)}, ())

    def _send(self, message: dict[str, Any], buffers: Sequence[bytes]) -> None:
        try:
            self._line.send(message, buffers)
        except Exception:
            self.close()


def told(error: Exception) -> dict[str, str]:
    """Return an error as a canvas shows it: sentences, never a traceback."""
    if isinstance(error, LabError):
        return {
            "code": error.code,
            "message": error.what,
            "where": error.where,
            "remedy": error.remedy,
        }
    return {
        "code": "internal",
        "message": f"Something went wrong in the kernel: {type(error).__name__}: {error}",
        "where": "",
        "remedy": "Repeat it; if it happens again, restart the kernel.",
    }


def _problems(text: str, desk: Desk) -> list[dict[str, Any]]:
    try:
        return keeping.problems(file.parse(text), desk)
    except FlowError:
        return []  # the canvas says itself why it cannot read the text


def _other_version(theirs: Any) -> InputError:
    ours = metadata.version("iaiflow-lab")
    return InputError(
        f"This canvas speaks version {theirs} and the kernel version {VERSION}.",
        remedy=f"Install iaiflow-lab {ours} for the canvas too (pip install iaiflow-lab=={ours}), "
        "or the canvas's version for the kernel, and restart both.",
        code="version-mismatch",
    )


def _hidden(answer: Answer) -> Answer:
    result, buffers = answer
    return RESOLVED.data(result), [RESOLVED.content(bytes(buffer)) for buffer in buffers]
