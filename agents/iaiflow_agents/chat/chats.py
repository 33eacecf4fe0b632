"""What a page may ask of the chats of a workspace."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from time import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from iaiflow_agents.chat import attachments, kernel, partners
from iaiflow_agents.chat.house import House, house
from iaiflow_agents.chat.news import Page
from iaiflow_agents.chat.requests import Answer, Ask
from iaiflow_agents.chat.shelf import hide
from iaiflow_agents.chat.thread import OPEN, ChatAgent, Thread, shown, thread_data
from iaiflow_lab.errors import NotFoundError

if TYPE_CHECKING:
    from iaiflow_agents.agent import Agent

#: Memories that are shown.
_MEMORIES: Final = 50


class Chats:
    """The chats that one page sees: what it may ask for.

    Args:
        bound: The agent that they were opened for; None: any of the kernel.
    """

    def __init__(self, bound: Agent | None = None) -> None:
        self._bound = bound
        self._house: House | None = None

    @property
    def house(self) -> House:
        """What it shares with others; the workspace is looked for once."""
        if self._house is None:
            self._house = house()
        return self._house

    def join(self, page: Page) -> None:
        """Tell a page what happens, from now on."""
        self.house.news.join(page)

    def leave(self, page: Page) -> None:
        """Tell a page nothing more."""
        if self._house is not None:
            self._house.news.leave(page)

    def hello(self, first: ChatAgent | None) -> dict[str, Any]:
        """Return who can be talked with, and the threads."""
        house = self.house
        threads = house.threads()
        return {
            "agents": partners.listed(house.root, first, self._bound),
            "threads": threads,
            "workspace": str(house.root),
            "problems": house.shelf.problems(),
        }

    def thread(self, id_: str) -> dict[str, Any]:
        """Return a thread, and what is asked of people in it."""
        thread = self.house.get(id_)
        asks = {
            one.id: found
            for one in thread.exchanges
            if one.is_open and (found := self.house.open_asks(id_, one.id))
        }
        return {"thread": thread_data(thread), "asks": asks}

    def tell_open(self, thread: Mapping[str, Any]) -> None:
        """Tell again what is open in a thread as a page has it: it may have ended meanwhile."""
        for exchange in thread["exchanges"]:
            if exchange["state"] in OPEN:
                self.house.tell_open(thread["id"], exchange["id"])

    def begin(self, agent: ChatAgent) -> dict[str, Any]:
        """Begin a thread with an agent."""
        partner = partners.find(self.house.root, agent, self._bound)
        thread = Thread(secrets.token_hex(8), partner.agent, time())
        return thread_data(self.house.put(thread))

    def rename(self, id_: str, title: str) -> None:
        """Call a thread otherwise."""
        with self.house.changing():
            thread = self.house.get(id_)
            self.house.put(msgspec.structs.replace(thread, title=title.strip()))

    def remove(self, id_: str) -> None:
        """Forget a thread; what goes on in it ends."""
        house = self.house
        with house.changing():
            going = [one for place, one in house.going.items() if place[0] == id_]
            house.get(id_)
            house.shelf.remove(id_)
        for one in going:
            one.cancel()
        house.tell_list()

    def show(self, id_: str, exchange: str) -> None:
        """Show this version of an exchange."""
        house = self.house
        with house.changing():
            thread = house.get(id_)
            found = thread.find(exchange)
            if found is None:
                raise NotFoundError("There is no such question any more.", code="no-exchange")
            kept = house.put(shown(thread, found))
        push = {"push": "shown", "thread": id_, "chosen": kept.chosen}
        house.news.tell(("shown", id_), lambda: push)

    def ask(self, question: Ask) -> str:
        """Have a question answered, and return the run."""
        return self.house.ask(question, self._bound)

    def stop(self, run_id: str) -> None:
        """End a run; asked again, it is left."""
        self.house.run(run_id).cancel()

    def answer(self, given: Answer) -> None:
        """Answer a step of a run that waits."""
        answering = self.house.run(given.run_id)
        answering.flush()  # pages show a wait before it is committed
        kernel.answer(self.house.root, answering.prefix, given)

    def tables(self) -> list[dict[str, Any]]:
        """Return the tables of the notebook."""
        return attachments.tables_of(kernel.variables())

    def files(self, part: str) -> list[dict[str, Any]]:
        """Return files of the workspace whose paths hold a text."""
        return attachments.files_of(self.house.root, part)

    def memories(self, agent: ChatAgent, query: str) -> list[dict[str, Any]]:
        """Return what an agent remembers: about a question, or the newest."""
        from iaiflow_agents.chat.memories import found

        partner = partners.find(self.house.root, agent, self._bound)
        return hide(found(self.house.root, partner, query, _MEMORIES))

    def forget(self, agent: ChatAgent, id_: str) -> None:
        """Let an agent no longer find a memory."""
        from iaiflow_agents.chat.memories import forget

        forget(self.house.root, partners.find(self.house.root, agent, self._bound), id_)

    def export(self, id_: str) -> str:
        """Write a thread as a notebook beside the others, and return its path."""
        from iaiflow_agents.chat.notebook import export

        thread = self.house.get(id_)
        partner = partners.find(self.house.root, thread.agent, self._bound)
        return export(thread, partner, kernel.folder(), self.house.root)
