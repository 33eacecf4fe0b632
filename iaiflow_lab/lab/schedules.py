"""The schedules of a workspace in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, Unpack

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.names import did_you_mean

if TYPE_CHECKING:
    from iaiflow_lab.model.schedule import Moment, Rule
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.service.schedule_rows import Miss, Schedule, ScheduleSpec
    from iaiflow_lab.service.servers import Server
    from iaiflow_lab.service.session import Session


class Scheduling(TypedDict, total=False):
    """What a schedule may say: one of `cron`, `every`, `at` and `on_change`, and the rest."""

    #: Five fields, such as `0 6 * * 1-5`.
    cron: str
    #: An interval: seconds, or text such as `15m`.
    every: float | str
    #: Once: `2026-12-01T06:00`.
    at: str
    #: Files of the workspace, or patterns of them.
    on_change: str | Sequence[str]
    #: IANA name of a time zone; else the machine's own.
    zone: str
    #: Not before: seconds since the Unix epoch, or text such as `2026-12-01T06:00`.
    start: float | str
    #: Not after.
    end: float | str
    #: Up to so much later, by chance: seconds, or text such as `5m`.
    jitter: float | str
    #: What it is called; else after the file.
    name: str
    #: Values by parameter name.
    inputs: Mapping[str, Any]
    #: A save's number or version, or `now`; None: the latest.
    version: str | int | None
    #: What is made up for of moments that were missed while nothing ran.
    catchup: Literal["none", "latest", "all"]
    #: What a moment does while the run before has not ended.
    overlap: Literal["allow", "skip", "queue", "cancel"]
    #: Name of the queue that workers take its runs from.
    queue: str
    #: The lowest goes first, -1000 to 1000.
    priority: int
    #: Longest time for a run, in seconds.
    timeout: float | None
    #: Whether outputs of earlier runs may be used.
    use_cache: bool


_WHEN: Final = ("cron", "every", "at", "on_change")
_RULE: Final = (*_WHEN, "zone", "start", "end", "jitter")
_OPTIONS: Final = ("queue", "priority", "timeout", "use_cache")


class Schedules:
    """When flows and notebooks run by themselves; each by its name or id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, target: str, **what: Unpack[Scheduling]) -> Schedule:
        """Save a schedule and return it; `next` shows its moments.

        Args:
            target: The path of a flow or notebook in the workspace.
            **what: When it runs, with which inputs, and how.

        Raises:
            InputError: Something that is given is wrong, or no moment is to come.
            FlowError: The flow has errors.
            NotFoundError: There is no such file or version.
        """
        from iaiflow_lab.service import schedules
        from iaiflow_lab.service.schedule_rows import ScheduleSpec

        spec = ScheduleSpec(target, _rule(what, None))
        return schedules.add(self._session, _changed(spec, what), self._catalog())

    def edit(self, ref: str, **what: Unpack[Scheduling]) -> Schedule:
        """Change a schedule and return it; what is not given stays.

        Raises:
            NotFoundError: There is no such schedule.
            LabError: As `add`.
        """
        from iaiflow_lab.service import schedules

        spec = schedules.get(self._session, ref).spec
        if any(key in what for key in _RULE):
            spec = replace(spec, rule=_rule(what, spec.rule))
        return schedules.edit(self._session, ref, _changed(spec, what), self._catalog())

    def ls(self) -> list[Schedule]:
        """Return the schedules, the next to fire first."""
        from iaiflow_lab.service import schedules

        return schedules.list_schedules(self._session)

    def get(self, ref: str) -> Schedule:
        """Return a schedule.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.get(self._session, ref)

    def next(self, ref: str, count: int = 10) -> list[Moment]:
        """Return a schedule's next moments, with what changes of clocks do to them.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.next_times(self._session, ref, count)

    def preview(self, **what: Unpack[Scheduling]) -> list[Moment]:
        """Return when a schedule that is not saved yet would fire next.

        Raises:
            InputError: The rule is wrong.
        """
        from iaiflow_lab.service import schedules

        return schedules.preview(self._session, _rule(what, None))

    def pause(self, ref: str) -> Schedule:
        """Let a schedule fire no more until it is resumed.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.pause(self._session, ref)

    def resume(self, ref: str) -> Schedule:
        """Let a paused schedule go on from its next moment.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.resume(self._session, ref)

    def rm(self, ref: str) -> None:
        """Delete a schedule; the runs that it made stay.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        schedules.remove(self._session, ref)

    def run(self, ref: str) -> str:
        """Queue a run of a schedule now and return its id; its moments stay as they are.

        Raises:
            NotFoundError: There is no such schedule, or its file has gone.
        """
        from iaiflow_lab.service import firing

        return firing.run_now(self._session, ref, self._catalog())

    def misses(self, ref: str | None = None, limit: int = 100) -> list[Miss]:
        """Return moments for which no run was made, the newest first, and why.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.misses(self._session, ref, limit)

    def fired_by(self) -> list[Server]:
        """Return the processes that fire schedules, then those that did, the latest first."""
        from iaiflow_lab.service import servers

        return servers.who_fires(self._session)

    def _catalog(self) -> Catalog:
        from iaiflow_lab.sdk.catalog import load_catalog

        return load_catalog(self._session.workspace)


def _rule(what: Scheduling, old: Rule | None) -> Rule:
    """Return the rule that is given; what is missing is taken from the old one."""
    from iaiflow_lab.service.schedule_when import make_rule

    _refuse_unknown(what)
    zone = what.get("zone") or (old.zone if old else None)
    if old is None or any(key in what for key in _WHEN):
        made = make_rule(
            cron=what.get("cron"),
            every=_seconds(what["every"]) if "every" in what else None,
            at=what.get("at"),
            on_change=_patterns(what.get("on_change", ())),
            zone=zone,
        )
        old = made if old is None else msgspec.structs.replace(old, when=made.when)
    changes: dict[str, Any] = {"zone": zone or old.zone}
    for key in ("start", "end"):
        if (moment := what.get(key)) is not None:
            changes[key] = _moment(moment, changes["zone"])
    if "jitter" in what:
        changes["jitter_s"] = _seconds(what["jitter"])
    return msgspec.structs.replace(old, **changes)


def _changed(spec: ScheduleSpec, what: Scheduling) -> ScheduleSpec:
    """Return the schedule with everything but the rule that is given."""
    from iaiflow_lab.model.schedule import Catchup, Overlap

    _refuse_unknown(what)
    given: dict[str, Any] = {
        key: value for key, value in what.items() if key not in _RULE and key not in _OPTIONS
    }
    options = {key: value for key, value in what.items() if key in _OPTIONS}
    for key, kind in (("catchup", Catchup), ("overlap", Overlap)):
        if key in given:
            given[key] = _choice(key, given[key], kind)
    if given.get("version") is not None:
        given["version"] = str(given["version"])
    return replace(spec, **given, options=replace(spec.options, **options))


def _choice(key: str, value: str, kind: Any) -> Any:
    known = [each.value for each in kind]
    if value not in known:
        raise InputError(f"{key} = {value!r} is unknown.", remedy=f"Use {', '.join(known)}")
    return kind(value)


def _refuse_unknown(what: Mapping[str, object]) -> None:
    known = Scheduling.__annotations__
    if unknown := [name for name in what if name not in known]:
        hint = did_you_mean(unknown[0], known) or f"Options: {', '.join(known)}."
        raise InputError(f"There is no option {unknown[0]!r}.", remedy=hint)


def _seconds(value: float | str) -> float:
    from iaiflow_lab.model.moment import parse_duration

    return parse_duration(value) if isinstance(value, str) else _number(value)


def _moment(value: float | str, zone: str) -> float:
    from iaiflow_lab.model.moment import parse_moment

    return parse_moment(value, zone) if isinstance(value, str) else _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(
            f"{value!r} is no time.", remedy="Give seconds, or text such as 15m or 2026-12-01T06:00"
        )
    return float(value)


def _patterns(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
