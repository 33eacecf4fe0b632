"""Schedules from what people give: all of one, or only what is to change in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypedDict

import msgspec

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.budget import RunBudget
from iaiflow_lab.model.moment import parse_duration, parse_moment
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.schedule import Catchup, FileChange, Overlap, Rule
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.service.schedule_when import make_rule


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
    #: Not before: seconds since the Unix epoch, or text such as `2026-12-01T06:00`; None: any time.
    start: float | str | None
    #: Not after; None: for ever.
    end: float | str | None
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
    #: Longest time in which a run may be executed, in seconds; None: no limit.
    timeout: float | None
    #: What the models that a run asks may take together; None: no limit.
    budget: RunBudget | None
    #: Whether outputs of earlier runs may be used.
    use_cache: bool


_WHEN: Final = ("cron", "every", "at", "on_change")
_BOUNDS: Final = ("start", "end")
_RULE: Final = (*_WHEN, *_BOUNDS, "zone", "jitter")
_OPTIONS: Final = ("queue", "priority", "timeout", "budget", "use_cache")
_CHOICES: Final = {"catchup": Catchup, "overlap": Overlap}


def new_spec(target: str, what: Scheduling) -> ScheduleSpec:
    """Return the schedule that is given.

    Raises:
        InputError: Something that is given is unknown or cannot be read.
    """
    return _with_rest(ScheduleSpec(target, new_rule(what)), what)


def changed_spec(spec: ScheduleSpec, what: Scheduling) -> ScheduleSpec:
    """Return a schedule with what is given changed, and all else as it is.

    Raises:
        InputError: Something that is given is unknown or cannot be read.
    """
    return _with_rest(replace(spec, rule=_changed_rule(spec.rule, what)), what)


def new_rule(what: Scheduling) -> Rule:
    """Return the rule that is given.

    Raises:
        InputError: Something that is given is unknown or cannot be read.
    """
    _refuse_unknown(what)
    every = _seconds(what["every"]) if "every" in what else None
    made = make_rule(
        cron=what.get("cron"),
        every=every,
        at=what.get("at"),
        on_change=_patterns(what.get("on_change", ())),
        zone=what.get("zone"),
    )
    return _with_bounds(made, what)


def _changed_rule(rule: Rule, what: Scheduling) -> Rule:
    if any(key in what for key in _WHEN):
        when = new_rule(what).when
        # what follows a change of files has no jitter, and keeps none from what it was before
        jitter = 0.0 if isinstance(when, FileChange) else rule.jitter_s
        rule = msgspec.structs.replace(rule, when=when, jitter_s=jitter)
    if "zone" in what:
        rule = msgspec.structs.replace(rule, zone=what["zone"])
    return _with_bounds(rule, what)


def _with_bounds(rule: Rule, what: Scheduling) -> Rule:
    bounds = {key: _moment(what.get(key), rule.zone) for key in _BOUNDS if key in what}
    if "jitter" in what:
        bounds["jitter_s"] = _seconds(what["jitter"])
    return msgspec.structs.replace(rule, **bounds)


def _with_rest(spec: ScheduleSpec, what: Scheduling) -> ScheduleSpec:
    """Return the schedule with everything but the rule that is given."""
    _refuse_unknown(what)
    given: dict[str, Any] = {
        key: value for key, value in what.items() if key not in _RULE and key not in _OPTIONS
    }
    options = {key: value for key, value in what.items() if key in _OPTIONS}
    for key, kind in _CHOICES.items():
        if key in given:
            given[key] = _choice(key, given[key], kind)
    if given.get("version") is not None:
        given["version"] = str(given["version"])
    return replace(spec, **given, options=replace(spec.options, **options))


def _choice(key: str, value: str, kind: type[Catchup | Overlap]) -> Any:
    known = [each.value for each in kind]
    if value not in known:
        raise InputError(f"{key} = {value!r} is unknown.", remedy=f"Use {', '.join(known)}")
    return kind(value)


def _refuse_unknown(what: Scheduling) -> None:
    known = Scheduling.__annotations__
    if unknown := [name for name in what if name not in known]:
        hint = did_you_mean(unknown[0], known) or f"Options: {', '.join(known)}."
        raise InputError(f"There is no option {unknown[0]!r}.", remedy=hint)


def _seconds(value: float | str) -> float:
    return parse_duration(value) if isinstance(value, str) else _number(value)


def _moment(value: float | str | None, zone: str) -> float | None:
    if value is None:
        return None
    return parse_moment(value, zone) if isinstance(value, str) else _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(
            f"{value!r} is no time.", remedy="Give seconds, or text such as 15m or 2026-12-01T06:00"
        )
    return float(value)


def _patterns(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
