"""Who is told about which runs, in Python."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypedDict, Unpack

from iaiflow_lab.errors import InputError
from iaiflow_lab.lab import listing
from iaiflow_lab.lab.listing import Listing
from iaiflow_lab.model.names import did_you_mean

if TYPE_CHECKING:
    from iaiflow_lab.service.notifications import Rule, Told
    from iaiflow_lab.service.session import Session


class Telling(TypedDict, total=False):
    """What a rule may say: one of `email`, `webhook` and `slack`, and the rest."""

    #: Who gets an e-mail, by the server in `[smtp]` of `config.toml`.
    email: str
    #: What is called, signed as Standard Webhooks says: a URL, or `env:NAME`.
    webhook: str
    #: The environment variable that holds a webhook's secret.
    secret: str
    #: An incoming webhook of Slack, or one like it: a URL, better `env:NAME`.
    slack: str
    #: What is told; else: failed.
    on: Collection[Literal["failed", "completed", "waiting", "late", "missed"]]
    #: When nothing is sent: `22:00-07:00`.
    quiet: str
    #: IANA name of those hours' time zone; else the machine's own.
    zone: str
    #: At most one message in so long: seconds, or text such as `10m`.
    group: float | str
    #: When a scheduled run that has not begun is late: seconds, or text such as `10m`.
    late_after: float | str


_DEFAULT_GROUP_S: Final = 60.0
_DEFAULT_LATE_S: Final = 300.0


class Notifications:
    """The rules that say who is told about which runs; each by its id or its first characters."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, flow: str = "", **what: Unpack[Telling]) -> Rule:
        """Save a rule and return it; it counts for what happens from now on.

        Args:
            flow: The path of a flow or notebook in the workspace; "" for all.
            **what: What is told, and how.

        Raises:
            InputError: Something that is given is wrong.
            NotFoundError: There is no such file.
        """
        from iaiflow_lab.model.quiet import parse_quiet
        from iaiflow_lab.service import notifications
        from iaiflow_lab.service.schedule_when import local_zone

        _refuse_unknown(what)
        channel, target = notifications.one_channel(
            email=what.get("email"), webhook=what.get("webhook"), slack=what.get("slack")
        )
        hours = what.get("quiet")
        zone = what.get("zone") or local_zone()
        spec = notifications.RuleSpec(
            channel=channel,
            target=target,
            flow=flow,
            events=_events(what.get("on", ("failed",))),
            secret=what.get("secret", ""),
            quiet=None if hours is None else parse_quiet(hours, zone),
            group_s=_seconds(what.get("group", _DEFAULT_GROUP_S)),
            late_s=_seconds(what.get("late_after", _DEFAULT_LATE_S)),
        )
        return notifications.add(self._session, spec)

    def ls(self) -> Listing[Rule]:
        """Return the rules, the oldest first, with what became of what they had to tell."""
        from iaiflow_lab.service import notifications

        return Listing(notifications.list_rules(self._session), listing.RULES)

    def get(self, ref: str) -> Rule:
        """Return a rule.

        Raises:
            NotFoundError: There is no such rule.
        """
        from iaiflow_lab.service import notifications

        return notifications.get(self._session, ref)

    def pause(self, ref: str) -> Rule:
        """Let a rule tell nothing until it is resumed.

        Raises:
            NotFoundError: There is no such rule.
        """
        from iaiflow_lab.service import notifications

        return notifications.pause(self._session, ref)

    def resume(self, ref: str) -> Rule:
        """Let a paused rule tell what happens from now on.

        Raises:
            NotFoundError: There is no such rule.
        """
        from iaiflow_lab.service import notifications

        return notifications.resume(self._session, ref)

    def rm(self, ref: str) -> None:
        """Delete a rule, with what it had still to tell.

        Raises:
            NotFoundError: There is no such rule.
        """
        from iaiflow_lab.service import notifications

        notifications.remove(self._session, ref)

    def test(self, ref: str) -> None:
        """Send an example by a rule, now, with the secrets of this process's environment.

        Raises:
            NotFoundError: There is no such rule.
            SendError: It was not taken.
        """
        from iaiflow_lab.notify.channels import Post
        from iaiflow_lab.notify.delivery import send_test

        send_test(self._session, ref, Post.of_process(self._session.store.settings))


def _events(names: Collection[str]) -> Sequence[Told]:
    from iaiflow_lab.service.notifications import Told

    known = [told.value for told in Told]
    wanted = (names,) if isinstance(names, str) else tuple(names)
    for name in wanted:
        if name not in known:
            raise InputError(f"on = {name!r} is unknown.", remedy=f"Use {', '.join(known)}")
    return [Told(name) for name in wanted]


def _seconds(value: float | str) -> float:
    from iaiflow_lab.model.moment import parse_duration

    return parse_duration(value) if isinstance(value, str) else float(value)


def _refuse_unknown(what: Telling) -> None:
    known = Telling.__annotations__
    if unknown := [name for name in what if name not in known]:
        hint = did_you_mean(unknown[0], known) or f"Options: {', '.join(known)}."
        raise InputError(f"There is no option {unknown[0]!r}.", remedy=hint)
