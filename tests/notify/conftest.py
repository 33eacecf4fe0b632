"""A workspace whose runs the test moves by hand, its rules, and servers on this machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from website import make_site, site

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.notify.channels import Post
from iaiflow_lab.notify.delivery import deliver
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import Session, notifications, open_session, outbox
from iaiflow_lab.service.notifications import Channel, RuleSpec
from iaiflow_lab.settings import make_state_dir

__all__ = ["make_site", "site"]

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()


class Mailbox:
    """A mail server that keeps what it gets, or refuses it."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refusal = ""
        self._controller: Controller | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        self.letters.append(envelope)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> Any:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    def start(self) -> int:
        mailbox = self

        class Local(Controller):
            def factory(self) -> SMTP:
                return SMTP(self.handler, authenticator=mailbox.login, auth_require_tls=False)

            def _trigger_server(self) -> None:  # connects to see whether it is up
                self.port = self.server.sockets[0].getsockname()[1]
                super()._trigger_server()

        self._controller = Local(self, hostname="127.0.0.1", port=0)
        self._controller.start()
        return self._controller.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.stop()


@dataclass
class Desk:
    """A workspace, and short ways to make things happen in it."""

    session: Session
    clock: Any
    environment: dict[str, str] = field(default_factory=lambda: {"HOOK": SECRET})

    @property
    def post(self) -> Post:
        return Post(self.session.store.settings, self.environment)

    def rule(self, channel: Channel = Channel.WEBHOOK, target: str = "", **more: Any) -> str:
        secret = "HOOK" if channel is Channel.WEBHOOK else ""
        given = {"secret": secret, "group_s": 0.0} | more
        spec = RuleSpec(channel, target or "https://example.org/hook", **given)
        return notifications.add(self.session, spec).id

    def put(self, flow: str = "f", **more: Any) -> str:
        self.clock.advance(0.001)
        now = self.clock.now()
        request = enqueue.Request("default", flow, "", "v", "{}", "default", 0, now, 5)
        request = replace(request, **more)
        with self.session.store.db.write() as tx:
            return enqueue.put(tx, self.session.world, request)

    def begin(self, run_id: str = "", **request: Any) -> Any:
        run_id = run_id or self.put(**request)
        coordinator = self.session.coordinator
        owner = owner_name("worker", self.session.world.ids)
        claim = coordinator.claim(owner, ["default"], run_id)
        coordinator.start(claim.run_id, claim.fence)
        return claim

    def append(self, claim: Any, *events: ev.Event) -> None:
        self.session.coordinator.append(claim.run_id, claim.fence, events)

    def settle(
        self, claim: Any, state: RunState, error: ev.ErrorInfo | None = None, seen: int = 0
    ) -> str:
        settlement = Settlement(state, error=error, seen=seen)
        self.session.coordinator.settle(claim.run_id, claim.fence, settlement)
        return claim.run_id

    def fail(self, message: str = "It broke.", step: str = "load", **request: Any) -> str:
        claim = self.begin(**request)
        return self.settle(claim, RunState.FAILED, ev.ErrorInfo("boom", message, step))

    def complete(self, **request: Any) -> str:
        return self.settle(self.begin(**request), RunState.COMPLETED)

    def wait(self, *waits: ev.StepWaiting, **request: Any) -> Any:
        claim = self.begin(**request)
        for wait in waits:
            start = ev.StepStarted(at=1.0, step=wait.step, node=wait.node, type="t")
            self.append(claim, start, wait)
        self.settle(claim, RunState.WAITING)
        return claim

    def approval(self, step: str = "ask", key: str = "k", **more: Any) -> ev.StepWaiting:
        now = self.clock.now()
        fields = {"wait_kind": "approval", "message": "Ship it?"} | more
        return ev.StepWaiting(at=now, step=step, node=step, key=key, **fields)

    def rows(self) -> list[dict[str, Any]]:
        connection = self.session.store.db.connection()
        found = connection.execute("SELECT * FROM notifications ORDER BY made_at, run_id, event")
        return [dict(row) for row in found]

    def told(self) -> list[tuple[str, str]]:
        return [(row["run_id"], row["event"]) for row in self.rows()]

    def send(self) -> list[str]:
        """Send everything that is due; returns the troubles."""
        outbox.note_late(self.session)
        troubles: list[str] = []
        while due := outbox.due_rules(self.session):
            troubles += [deliver(self.session, rule_id, self.post) for rule_id in due]
        return [trouble for trouble in troubles if trouble]


@pytest.fixture
def make_desk(workspace: Path, simulate: Any) -> Iterator[Any]:
    """Return `make_desk(config)`: a desk in a workspace with these settings."""
    opened: list[Session] = []

    def make(config: str = "", seed: int = 1) -> Desk:
        (make_state_dir(workspace) / "config.toml").write_text(config)
        simulated = simulate(seed)
        session = open_session(workspace, simulated.world)
        opened.append(session)
        with session.store.db.write() as tx:
            tx.run("version_put", ("default", "v", '{"format":"iaiflow/1","nodes":{}}', 0.0))
        return Desk(session, simulated.clock)

    yield make
    for session in opened:
        with suppress(Exception):
            session.close()


@pytest.fixture
def desk(make_desk: Any, site: Any) -> Desk:
    """Return a desk that may call the site."""
    return make_desk(f'[fetch]\nallow = ["{site.allowed[0]}"]\n')
