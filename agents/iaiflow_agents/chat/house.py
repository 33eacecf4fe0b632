"""What the chats of a workspace share in this kernel: threads, what goes on in them, and news."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final

from iaiflow_agents import blocks
from iaiflow_agents.blocks import Message
from iaiflow_agents.chat import attachments, kernel, partners
from iaiflow_agents.chat.answering import Answering, Outcome, begin
from iaiflow_agents.chat.attachments import Attached, attach, earlier_tables
from iaiflow_agents.chat.news import News
from iaiflow_agents.chat.requests import Ask
from iaiflow_agents.chat.shelf import Shelf, hide, locked
from iaiflow_agents.chat.thread import (
    ChatAgent,
    Exchange,
    Thread,
    asked,
    branch_to,
    conversation,
    thread_info,
    told,
    without,
)
from iaiflow_agents.configured import read_history
from iaiflow_lab.errors import ConflictError, InputError, LabError, NotFoundError

if TYPE_CHECKING:
    from iaiflow_agents.agent import Agent

#: Longest question, in bytes of UTF-8.
LONGEST: Final = 100_000
#: Most questions of a thread.
MOST: Final = 1_000
_FOLDER: Final = "chats"
_LOST: Final = "The kernel ended before there was an answer."
#: How long a question of another kernel may have no run yet, in seconds.
_BEGINNING: Final = 60.0


class House:
    """What the chats of a workspace share, whoever they were opened for.

    Args:
        root: The workspace.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        #: Guards the threads and what goes on.
        self.lock = threading.RLock()
        #: How often `changing` was entered; guarded by `lock`.
        self._depth = 0
        self.shelf = Shelf(self._folder)
        self.news = News()
        #: What goes on, by thread and exchange.
        self.going: dict[tuple[str, str], Answering] = {}

    @property
    def state(self) -> Path:
        """Where the workspace keeps its state."""
        return kernel.state_folder(self.root)

    def _folder(self) -> Path:
        folder = self.state / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @contextmanager
    def changing(self) -> Generator[None]:
        """Let nobody else change threads meanwhile, in this kernel or in another one."""
        with self.lock, ExitStack() as held:
            if self._depth == 0:  # a second lock of the same process would wait for the first
                held.enter_context(locked(self._folder))
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    # -- threads ----------------------------------------------------------------------------------

    def threads(self) -> list[dict[str, Any]]:
        """Return the list of threads, the newest first."""
        with self.lock:
            return [dict(thread_info(self._healed(thread))) for thread in self.shelf.all()]

    def get(self, id_: str) -> Thread:
        """Return a thread.

        Raises:
            NotFoundError: There is none.
        """
        with self.lock:
            return self._healed(self.shelf.get(id_))

    def latest(self, agent: ChatAgent) -> Thread | None:
        """Return the thread with an agent in which something was asked last; None: nothing was."""
        with self.lock:
            asked_of = (one for one in self.shelf.all() if one.agent == agent and one.exchanges)
            return next(asked_of, None)

    def put(self, thread: Thread) -> Thread:
        """Write a thread and tell all pages of the list."""
        with self.changing():
            kept = self.shelf.put(thread)
        self.tell_list()
        return kept

    def tell_list(self) -> None:
        """Tell all pages which threads there are, soon."""
        self.news.tell("threads", lambda: {"push": "threads", "threads": self.threads()})

    def _healed(self, thread: Thread) -> Thread:
        """Return a thread in which nothing is waited for that nobody makes any more."""
        if not self._lost(thread):
            return thread
        with self.changing():
            try:
                thread = self.shelf.get(thread.id)  # another kernel may have written the answer
            except NotFoundError:  # or removed the thread
                return thread
            lost = self._lost(thread)
            for id_ in lost:
                thread = told(thread, id_, state="failed", fault=_LOST)
            with suppress(LabError):  # it is shown so, written or not
                return self.shelf.put(thread) if lost else thread
        return thread

    def _lost(self, thread: Thread) -> list[str]:
        """Return the exchanges that are open and that nobody answers."""
        return [
            one.id
            for one in thread.exchanges
            if one.is_open and (thread.id, one.id) not in self.going and not self._goes_on(one)
        ]

    def _goes_on(self, exchange: Exchange) -> bool:
        """Say whether another kernel may answer."""
        if not exchange.run_id:
            return time() - exchange.sent_at < _BEGINNING
        return kernel.goes_on(self.root, exchange.run_id)

    # -- questions --------------------------------------------------------------------------------

    def ask(self, question: Ask, bound: Agent | None) -> str:
        """Have a question answered, and return the run that does it.

        Raises:
            LabError: It can't be asked; nothing is recorded then.
        """
        thread = self.get(question.thread)
        partner = partners.find(self.root, thread.agent, bound)
        partners.ensure_given(partner)
        before = _before(thread, question)
        attached = self._attached(question, partner)
        given = [item for one in before for item in one.attachments]
        tables = {**earlier_tables(given, kernel.variables()), **attached.tables}
        said = hide([blocks.user([*attached.blocks, blocks.text(question.text)])])
        marks = [partner.untrusted, attached.untrusted, *(one.untrusted for one in before)]
        untrusted = any(marks)
        exchange = Exchange(
            id=question.exchange,
            parent=question.parent,
            sent_at=time(),
            text=question.text,
            attachments=question.attachments,
            messages=tuple(said),
            untrusted=untrusted,
        )
        messages = read_history([*conversation(before), *said])
        answering = self._admit(thread.id, exchange, messages)
        try:
            run_id = begin(partner, messages, tables, answering, untrusted=untrusted)
        except BaseException:
            self._withdraw(thread.id, exchange.id)
            raise
        with self.changing():
            thread = self.put(told(self.shelf.get(thread.id), exchange.id, run_id=run_id))
        self._tell(thread.id, exchange.id)
        return run_id

    def _attached(self, question: Ask, partner: partners.Partner) -> Attached:
        size = len(question.text.encode("utf-8", "replace"))
        if size > LONGEST:
            raise InputError(
                f"The question has {size:,} bytes; {LONGEST:,} can be asked.",
                remedy="Attach the rest as a file.",
                code="question-too-long",
            )
        if not question.text.strip():
            raise InputError("There is no question.", remedy="Write what you want to know.")
        found = attach(question.attachments, kernel.variables(), self.root, self.state)
        attachments.check_names(found.tables, partner.values)
        return found

    def _admit(self, id_: str, exchange: Exchange, spoken: Sequence[Message]) -> Answering:
        """Write down that an exchange begins."""
        place = (id_, exchange.id)
        answering = Answering(
            lambda: self._tell(*place), lambda outcome: self._end(*place, spoken, outcome)
        )
        with self.changing():
            thread = self.shelf.get(id_)
            if thread.find(exchange.id) is not None:
                raise ConflictError("This was asked already.", code="asked-already")
            self.going[place] = answering
            try:
                self.put(asked(thread, exchange))
            except BaseException:
                self.going.pop(place, None)
                raise
        self._tell(*place)
        return answering

    def _withdraw(self, id_: str, exchange: str) -> None:
        """Take back an exchange that could not begin."""
        with self.changing():
            self.going.pop((id_, exchange), None)
            with suppress(LabError):  # why it could not begin is what is told
                self.put(without(self.shelf.get(id_), exchange))
        self.news.forget(("exchange", id_, exchange))

    def _end(self, id_: str, exchange: str, spoken: Sequence[Message], outcome: Outcome) -> None:
        """Write down how an exchange ended."""
        with self.changing():
            answering = self.going.pop((id_, exchange), None)
            try:
                thread = self.shelf.get(id_)
            except NotFoundError:  # it was removed meanwhile
                return
            found = thread.find(exchange)
            if found is None:
                return
            run_id = found.run_id or ("" if answering is None else answering.run_id)
            thread = told(thread, exchange, run_id=run_id)
            try:
                self.put(told(thread, exchange, **_ended(found, spoken, outcome)))
            except Exception as error:  # too large, say
                if not self._give_up(thread, exchange, error):
                    return
        self._tell(id_, exchange)

    def _give_up(self, thread: Thread, exchange: str, error: Exception) -> bool:
        """Say of an answer that it cannot be written; False: not even that can be written."""
        fault = str(error) if isinstance(error, LabError) else f"It can't be written: {error}."
        news = {"state": "failed", "fault": fault}
        try:
            self.put(told(thread, exchange, **news, trace="", messages=()))
        except Exception:  # it is shown, and lost with the kernel
            push = {**_of(thread.id, exchange), **news}
            self.news.tell(("exchange", thread.id, exchange), lambda: push)
            return False
        return True

    def tell_open(self, id_: str, exchange: str) -> None:
        """Tell how an exchange goes on, also what pages were told already: one has read it anew."""
        self.news.tell(("exchange", id_, exchange), lambda: self._present(id_, exchange))
        self.news.tell(("asks", id_, exchange), lambda: self._asks(id_, exchange, even_known=True))

    def _tell(self, id_: str, exchange: str) -> None:
        """Tell all pages how an exchange goes on, soon."""
        self.news.tell(("exchange", id_, exchange), lambda: self._present(id_, exchange))
        self.news.tell(("asks", id_, exchange), lambda: self._asks(id_, exchange))

    def _present(self, id_: str, exchange: str) -> dict[str, Any] | None:
        answering = self.going.get((id_, exchange))
        if answering is not None:
            trace = hide(answering.trace)
            known = {"state": "working", "run_id": answering.run_id}
            return {**_of(id_, exchange), **known, **({"trace": trace} if trace else {})}
        try:
            found = self.get(id_).find(exchange)
        except NotFoundError:
            return None
        if found is None:
            return None
        names = ("state", "run_id", "trace", "fault")
        return {**_of(id_, exchange), **{name: getattr(found, name) for name in names}}

    def _asks(self, id_: str, exchange: str, *, even_known: bool = False) -> dict[str, Any] | None:
        asks = self.open_asks(id_, exchange)
        if not self.news.is_new(("asks", id_, exchange), asks) and not even_known:
            return None
        return {**_of(id_, exchange), "push": "asks", "asks": asks}

    def open_asks(self, id_: str, exchange: str) -> list[dict[str, Any]]:
        """Return what an exchange asks of people now."""
        answering = self.going.get((id_, exchange))
        return [] if answering is None else hide(answering.asks)

    def run(self, run_id: str) -> Answering:
        """Return a run that goes on here.

        Raises:
            NotFoundError: It does not.
        """
        with self.lock:
            found = next((one for one in self.going.values() if one.run_id == run_id), None)
        if found is None:
            raise NotFoundError("This is not being answered any more.", code="no-run")
        return found


def _of(id_: str, exchange: str) -> dict[str, Any]:
    return {"push": "exchange", "thread": id_, "exchange": exchange}


def _before(thread: Thread, question: Ask) -> list[Exchange]:
    """Return the exchanges that a question goes on from."""
    before = branch_to(thread, question.parent)
    if question.parent is not None and not before:
        raise NotFoundError("What this goes on from is not there any more.", code="no-exchange")
    if any(one.is_open for one in before):
        raise ConflictError(
            "The agent still works on what this goes on from.",
            remedy="Wait for its answer, or stop it.",
            code="still-working",
        )
    if len(thread.exchanges) >= MOST:
        raise InputError(
            f"A thread holds {MOST:,} questions.", remedy="Begin another one.", code="thread-full"
        )
    return before


def _ended(exchange: Exchange, spoken: Sequence[Message], outcome: Outcome) -> dict[str, Any]:
    """Return what is known anew of an exchange that ended."""
    said: Sequence[Any] = exchange.messages
    is_whole = False
    if outcome.messages is not None:
        is_whole = list(outcome.messages[: len(spoken)]) != list(spoken)  # it was made shorter
        said = outcome.messages if is_whole else outcome.messages[len(spoken) - 1 :]
    elif outcome.begun:
        said = [*exchange.messages, blocks.assistant(outcome.begun)]
    else:
        said = ()  # what had no answer at all is not told to the model again
    return {
        "state": outcome.state,
        "trace": outcome.trace,
        "fault": outcome.fault,
        "messages": tuple(dict(message) for message in said),
        "is_whole": is_whole,
        "untrusted": exchange.untrusted or outcome.untrusted,
    }


_lock = threading.Lock()
_houses: Final[dict[Path, House]] = {}


def house() -> House:
    """Return what the chats of this kernel's workspace share."""
    root = kernel.workspace()
    with _lock:
        return _houses.setdefault(root, House(root))
