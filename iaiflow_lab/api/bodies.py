"""What requests may say; anything else in them is refused."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from iaiflow_lab.model.budget import check_budget
from iaiflow_lab.model.moment import parse_duration, parse_moment
from iaiflow_lab.model.quiet import parse_quiet
from iaiflow_lab.model.run import WaitOutcome
from iaiflow_lab.model.schedule import Catchup, Overlap, Rule
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.service.notifications import Channel, RuleSpec, Told
from iaiflow_lab.service.runs import Options
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.service.schedule_when import local_zone, make_rule


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid")


class QueueOptions(Body):
    """How a run is queued; see `service.runs.Options`."""

    queue: str = DEFAULT_QUEUE
    priority: int = 0
    timeout: float | None = None
    budget: dict[str, Any] | None = None
    use_cache: bool = False


class RunOptions(QueueOptions):
    """How one run is queued."""

    run_at: AwareDatetime | None = None
    delay: float | None = None
    idempotency_key: str | None = None

    def read(self) -> Options:
        """Return the options.

        Raises:
            InputError: The budget is none.
        """
        given = self.model_dump()
        given["run_at"] = None if self.run_at is None else self.run_at.timestamp()
        given["budget"] = check_budget(self.budget)
        return Options(**given)


class NewRun(Body):
    """A run to be made."""

    #: The path of a flow or notebook in the workspace.
    target: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    options: RunOptions = Field(default_factory=RunOptions)
    #: Whether it is only written down, to be queued later.
    draft: bool = False


class Retry(Body):
    """How a run that has ended is repeated."""

    inputs: dict[str, Any] | None = None
    from_start: bool = False
    #: Whether the file is taken as it is now.
    latest: bool = False
    #: A node that is executed again with all that follows it; "" for none.
    start: str = ""


class Cancel(Body):
    """Why a run is cancelled."""

    reason: str = "Cancelled on request."


class Nothing(Body):
    """A request that says nothing more."""


class WaitAnswer(Body):
    """What a waiting step is told."""

    #: The step's path; "": the only one that waits.
    step: str = ""
    outcome: WaitOutcome
    value: Any = None
    reason: str = ""


class NewSignal(Body):
    """A signal to a run."""

    name: str
    payload: Any = None
    #: A signal with the same mark and name is taken once.
    dedupe: str | None = None


class When(Body):
    """When something runs by itself: one of the first four, and the rest."""

    cron: str | None = None
    #: Seconds, or text such as `15m`.
    every: float | str | None = None
    #: Such as `2026-12-01T06:00`, in the zone.
    at: str | None = None
    #: Files of the workspace, or patterns of them.
    on_change: list[str] = Field(default_factory=list)
    zone: str | None = None
    start: str | None = None
    end: str | None = None
    jitter: float | str = 0.0

    def read(self) -> Rule:
        """Return the rule.

        Raises:
            InputError: A time cannot be read, or not exactly one of the four is given.
        """
        zone = self.zone or local_zone()
        return make_rule(
            cron=self.cron,
            every=None if self.every is None else _seconds(self.every),
            at=self.at,
            on_change=self.on_change,
            zone=zone,
            start=None if self.start is None else parse_moment(self.start, zone),
            end=None if self.end is None else parse_moment(self.end, zone),
            jitter=_seconds(self.jitter),
        )


class NewSchedule(QueueOptions):
    """A schedule to be saved."""

    target: str
    when: When
    name: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    #: A save's number, a version, or `now`; None: the file as it is when the schedule fires.
    version: str | None = None
    catchup: Catchup = Catchup.LATEST
    overlap: Overlap = Overlap.SKIP

    def read(self) -> ScheduleSpec:
        """Return what runs when.

        Raises:
            InputError: The rule or the budget cannot be read.
        """
        return ScheduleSpec(
            target=self.target,
            rule=self.when.read(),
            name=self.name,
            inputs=self.inputs,
            version=self.version,
            catchup=self.catchup,
            overlap=self.overlap,
            options=Options(
                self.queue,
                self.priority,
                timeout=self.timeout,
                budget=check_budget(self.budget),
                use_cache=self.use_cache,
            ),
        )


class NewRule(Body):
    """A rule that says who is told about which runs."""

    channel: Channel
    #: An e-mail address, a URL, or `env:NAME`.
    target: str
    #: The flow's or notebook's path; "": all.
    flow: str = ""
    events: list[Told] = Field(default_factory=lambda: [Told.FAILED])
    #: The environment variable that holds a webhook's secret.
    secret: str = ""
    #: No messages in these hours, such as `22:00-07:00`.
    quiet: str | None = None
    zone: str | None = None
    group: float | str = 60.0
    late: float | str = 300.0

    def read(self) -> RuleSpec:
        """Return the rule.

        Raises:
            InputError: A time cannot be read.
        """
        zone = self.zone or local_zone()
        return RuleSpec(
            channel=self.channel,
            target=self.target,
            flow=self.flow,
            events=tuple(self.events),
            secret=self.secret,
            quiet=None if self.quiet is None else parse_quiet(self.quiet, zone),
            group_s=_seconds(self.group),
            late_s=_seconds(self.late),
        )


class NewSecret(Body):
    """What a secret is to hold."""

    value: SecretStr


class SavedFlow(Body):
    """A flow to be saved, as in a flow file."""

    definition: dict[str, Any]
    #: Why, for the history.
    note: str = ""


class WhichVersion(Body):
    """A saved version of a flow."""

    version: str


def _seconds(value: float | str) -> float:
    return parse_duration(value) if isinstance(value, str) else value
