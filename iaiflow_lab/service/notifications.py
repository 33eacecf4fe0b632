"""Rules: who is told about which runs and schedules.

`outbox` has what is to be told, `notify` sends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model.names import invisible, shorten
from iaiflow_lab.model.quiet import Quiet
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.service.as_data import iso
from iaiflow_lab.service.session import Session
from iaiflow_lab.store.database import Reader, Row

#: How a target starts that names the environment variable which holds the address.
FROM_ENVIRONMENT: Final = "env:"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
#: One address, without a name: what may stand in a header as it is.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
_LONGEST_ADDRESS: Final = 254
_LONGEST_URL: Final = 2_000
#: Longest grouping and lateness, in seconds.
_DAY: Final = 86_400.0
_SHORTEST_ID: Final = 8


class Told(StrEnum):
    """What people can be told of runs and schedules."""

    FAILED = "failed"
    COMPLETED = "completed"
    #: It waits for an approval or another answer.
    WAITING = "waiting"
    #: A scheduled run has not begun some time after its moment.
    LATE = "late"
    #: Moments of a schedule have no run: its target was refused, or nothing fired it then.
    MISSED = "missed"


class Channel(StrEnum):
    """How people are told."""

    EMAIL = "email"
    #: A POST, signed as Standard Webhooks says.
    WEBHOOK = "webhook"
    #: A POST that Slack's incoming webhooks, and what is compatible with them, understand.
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """Who is told what."""

    channel: Channel
    #: An e-mail address, a URL, or `env:NAME`: the environment variable that holds the URL.
    target: str
    #: The flow's or notebook's path in the workspace; "": all.
    flow: str = ""
    events: Sequence[Told] = (Told.FAILED,)
    #: The environment variable that holds a webhook's secret.
    secret: str = ""
    quiet: Quiet | None = None
    #: At most one message in so many seconds; what happens meanwhile comes in the next one.
    group_s: float = 60.0
    #: A scheduled run that has not begun so long after its moment is late, in seconds.
    late_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Times are seconds since the Unix epoch."""

    id: str
    spec: RuleSpec
    paused: bool
    created_at: float
    #: When it sent its last message; None: never.
    sent_at: float | None
    #: How many things it told, has still to tell, and did not tell in the end.
    sent: int
    pending: int
    given_up: int
    #: The newest trouble; "" without any.
    error: str


def add(session: Session, spec: RuleSpec) -> Rule:
    """Save a new rule; it counts for what happens from now on.

    Raises:
        InputError: Something in it is wrong.
        NotFoundError: There is no such flow.
    """
    _check(session, spec)
    rule_id = session.world.ids.new("rule")
    row = {
        "id": rule_id,
        "project": session.project,
        "flow": spec.flow,
        "events": msgspec.json.encode(list(dict.fromkeys(spec.events))).decode(),
        "channel": spec.channel.value,
        "target": spec.target,
        "secret": spec.secret,
        "quiet": None if spec.quiet is None else msgspec.json.encode(spec.quiet).decode(),
        "group_s": spec.group_s,
        "late_s": spec.late_s,
        "now": session.world.clock.now(),
    }
    with session.store.db.write() as tx:
        tx.run("rule_put", row)
    return get(session, rule_id)


def get(session: Session, ref: str) -> Rule:
    """Return a rule by its id or the first characters of that.

    Raises:
        NotFoundError: There is no such rule.
        InputError: Several ids start like this.
    """
    with session.store.db.read() as reader:
        return _rule(_find(reader, session, ref), reader)


def list_rules(session: Session) -> list[Rule]:
    """Return the rules of the project, the oldest first."""
    with session.store.db.read() as reader:
        return [_rule(row, reader) for row in reader.all("rules_all", (session.project,))]


def pause(session: Session, ref: str) -> Rule:
    """Let a rule tell nothing until it is resumed, what has happened already included.

    Raises:
        NotFoundError: There is no such rule.
    """
    with session.store.db.write() as tx:
        rule_id = _find(tx, session, ref)["id"]
        tx.run("rule_pause", (1, rule_id))
        tx.run("notifications_settle", {"rule_id": rule_id, "reason": "The rule was paused."})
    return get(session, rule_id)


def resume(session: Session, ref: str) -> Rule:
    """Let a paused rule tell what happens from now on.

    Raises:
        NotFoundError: There is no such rule.
    """
    with session.store.db.write() as tx:
        rule_id = _find(tx, session, ref)["id"]
        tx.run("rule_pause", (0, rule_id))
    return get(session, rule_id)


def remove(session: Session, ref: str) -> str:
    """Delete a rule, with what it had still to tell; returns its id.

    Raises:
        NotFoundError: There is no such rule.
    """
    with session.store.db.write() as tx:
        rule_id = _find(tx, session, ref)["id"]
        tx.run("notifications_drop", (rule_id,))
        tx.run("rule_drop", (rule_id,))
    return rule_id


def read_spec(row: Row) -> RuleSpec:
    """Return what a row of the table `notification_rules` says."""
    return RuleSpec(
        channel=Channel(row["channel"]),
        target=row["target"],
        flow=row["flow"],
        events=[Told(event) for event in msgspec.json.decode(row["events"])],
        secret=row["secret"],
        quiet=None if row["quiet"] is None else msgspec.json.decode(row["quiet"], type=Quiet),
        group_s=row["group_s"],
        late_s=row["late_s"],
    )


def _rule(row: Row, reader: Reader) -> Rule:
    counts = reader.one("rule_counts", {"id": row["id"]})
    assert counts is not None
    return Rule(
        id=row["id"],
        spec=read_spec(row),
        paused=bool(row["paused"]),
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        sent=counts["sent"],
        pending=counts["pending"],
        given_up=counts["given_up"],
        error=counts["error"] or "",
    )


def _find(reader: Reader, session: Session, ref: str) -> Row:
    row = reader.one("rule_by_id", (session.project, ref))
    if row is None and len(ref) >= _SHORTEST_ID:
        span = {"project": session.project, "start": ref, "end": f"{ref}\uffff"}
        like = reader.all("rules_like", span)
        if len(like) > 1:
            raise InputError(f"Several rules start with {ref!r}.", remedy="Give more characters")
        row = like[0] if like else None
    if row is None:
        raise NotFoundError(
            f"There is no rule {shorten(ref)!r}.", remedy="`iaiflow notify ls` lists them"
        )
    return row


def _check(session: Session, spec: RuleSpec) -> None:
    if spec.flow:
        safe_path(session.workspace, spec.flow, must_exist=True)
    if not spec.events:
        raise InputError(
            "The rule tells nothing.", where="events", remedy=f"Choose of {', '.join(Told)}"
        )
    for name, seconds in (("group_s", spec.group_s), ("late_s", spec.late_s)):
        if not 0 <= seconds <= _DAY:
            raise InputError(
                f"{name} = {seconds:g} is out of range.", remedy=f"Use 0 to {_DAY:g} seconds"
            )
    if spec.channel is Channel.EMAIL:
        _check_mail(session, spec)
    else:
        _check_url(spec)


def _check_mail(session: Session, spec: RuleSpec) -> None:
    if len(spec.target) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(spec.target):
        raise InputError(
            f"{shorten(spec.target)!a} is no e-mail address.",
            where="target",
            remedy="Write one such as anna@example.org",
        )
    if spec.secret:
        raise InputError("An e-mail is not signed; it has no secret.", where="secret")
    if session.store.settings.mail_server is None:
        raise InputError(
            "No server for e-mail is set.",
            where="config.toml",
            remedy='Write [smtp] with host = "..." and sender = "..." there',
            code="no-mail-server",
        )


def _check_url(spec: RuleSpec) -> None:
    name = spec.target.removeprefix(FROM_ENVIRONMENT)
    if name != spec.target:
        _check_variable(name, "target")
    elif (
        not re.match(r"https?://[^/\s@?#]+(?:[/?#]|\Z)", spec.target)
        or len(spec.target) > _LONGEST_URL
        or not spec.target.isprintable()
        or " " in spec.target
        or invisible(spec.target)
    ):
        raise InputError(
            f"{shorten(spec.target)!a} is no address that can be called.",
            where="target",
            remedy="Write https://..., or env:NAME for an environment variable that holds it",
        )
    if spec.channel is Channel.SLACK and spec.secret:
        raise InputError(
            "A Slack message is not signed; its address is the secret.",
            where="secret",
            remedy="Keep the address in an environment variable: env:NAME",
        )
    if spec.channel is Channel.WEBHOOK:
        _check_variable(spec.secret, "secret")


def _check_variable(name: str, where: str) -> None:
    if not name:
        raise InputError(
            "A webhook is signed, and nothing says with what.",
            where=where,
            remedy="Name the environment variable that holds its secret (whsec_...)",
        )
    if not _VARIABLE.fullmatch(name):
        raise InputError(
            "This can't name an environment variable.",  # it may be the secret itself
            where=where,
            remedy="Give the variable's name, not what it holds",
        )


def one_channel(
    *, email: str | None = None, webhook: str | None = None, slack: str | None = None
) -> tuple[Channel, str]:
    """Return the one channel that is given, and its target.

    Raises:
        InputError: None is given, or several are.
    """
    given = {Channel.EMAIL: email, Channel.WEBHOOK: webhook, Channel.SLACK: slack}
    chosen = [(channel, target) for channel, target in given.items() if target is not None]
    if len(chosen) != 1:
        what = "Several channels are" if chosen else "No channel is"
        raise InputError(f"{what} given.", remedy="Give one of email, webhook and slack")
    return chosen[0]


def rule_data(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON; secrets are only named."""
    spec = rule.spec
    return {
        "id": rule.id,
        "state": "paused" if rule.paused else "active",
        "flow": spec.flow,
        "events": [event.value for event in spec.events],
        "channel": spec.channel.value,
        "target": spec.target,
        "secret": spec.secret,
        "quiet": None if spec.quiet is None else str(spec.quiet),
        "group_s": spec.group_s,
        "late_s": spec.late_s,
        "created_at": iso(rule.created_at),
        "sent_at": iso(rule.sent_at),
        "sent": rule.sent,
        "pending": rule.pending,
        "given_up": rule.given_up,
        "error": rule.error,
    }
