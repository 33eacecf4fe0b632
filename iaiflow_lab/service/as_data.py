"""Runs and schedules as JSON data with fixed names, for commands and for the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.schedule import Moment, Rule, describe, kind_of
from iaiflow_lab.service.history import RunFile, RunSummary, RunView, StepView
from iaiflow_lab.service.missed import Missed
from iaiflow_lab.service.schedule_rows import Miss, Schedule
from iaiflow_lab.store.waits import Wait

_TIMES: Final = ("run_at", "created_at", "started_at", "ended_at")


def iso(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC with milliseconds; None stays None."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary_data(run: RunSummary) -> dict[str, Any]:
    """Return one run of a list; times are ISO 8601."""
    data: dict[str, Any] = msgspec.to_builtins(run)
    times = {name: iso(data[name]) for name in _TIMES}
    return data | times | {"waits": [wait_data(wait) for wait in run.waits]}


def wait_data(wait: Wait) -> dict[str, Any]:
    """Return a wait; times are ISO 8601."""
    data: dict[str, Any] = msgspec.to_builtins(wait)
    return data | {name: iso(data[name]) for name in ("due", "opened_at", "answered_at")}


def run_data(run: RunView, files: Sequence[RunFile]) -> dict[str, Any]:
    """Return a run with its steps and files; times are ISO 8601."""
    return summary_data(run) | {
        "steps": [_step_data(step) for step in run.steps],
        "files": [file_data(file) for file in files],
    }


def file_data(file: RunFile) -> dict[str, Any]:
    """Return a file that a run made."""
    return {
        "step": file.step,
        "name": file.name,
        "artifact": file.artifact,
        "size": file.size,
        "media_type": file.media_type,
        "path": None if file.path is None else str(file.path),
    }


def _step_data(step: StepView) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(step)
    return data | {name: iso(data[name]) for name in ("started_at", "ended_at")}


def event_data(number: int, event: ev.Event) -> dict[str, Any]:
    """Return an event with its number."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    return {"seq": number, **data, "at": iso(event.at)}


def schedule_data(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule; times are ISO 8601."""
    spec = schedule.spec
    rule = spec.rule
    return {
        "id": schedule.id,
        "name": spec.name,
        "state": schedule.state,
        "fault": schedule.fault,
        "target": spec.target,
        "version": spec.version,
        "inputs": dict(spec.inputs),
        "kind": kind_of(rule.when),
        "when": describe(rule),
        **rule_data(rule),
        "catchup": spec.catchup,
        "overlap": spec.overlap,
        "queue": spec.options.queue,
        "priority": spec.options.priority,
        "timeout": spec.options.timeout,
        "budget": spec.options.budget,
        "use_cache": spec.options.use_cache,
        "next_due": iso(schedule.next_due),
        "next_fire": iso(schedule.next_fire),
        "last_due": iso(schedule.last_due),
        "last_run": schedule.last_run or None,
        "last_state": schedule.last_state,
        "created_at": iso(schedule.created_at),
    }


def rule_data(rule: Rule) -> dict[str, Any]:
    """Return a rule; times are ISO 8601."""
    return {
        "rule": msgspec.to_builtins(rule.when),
        "zone": rule.zone,
        "start": iso(rule.start),
        "end": iso(rule.end),
        "jitter_s": rule.jitter_s,
    }


def moment_data(moment: Moment) -> dict[str, Any]:
    """Return a moment of a schedule."""
    return {"at": iso(moment.at), "local": moment.local, "note": moment.note}


def missed_data(missed: Missed) -> dict[str, Any]:
    """Return missed moments that were noted together; the id tells them from others."""
    return {
        "id": f"{missed.schedule_id} {iso(missed.noted_at)}",
        "schedule_id": missed.schedule_id,
        "name": missed.name,
        "flow": missed.flow,
        "count": missed.count,
        "first_due": iso(missed.first_due),
        "last_due": iso(missed.last_due),
        "message": missed.message,
        "noted_at": iso(missed.noted_at),
    }


def miss_data(miss: Miss) -> dict[str, Any]:
    """Return a moment for which no run was made."""
    return {
        "schedule_id": miss.schedule_id,
        "name": miss.name,
        "due_at": iso(miss.due_at),
        "reason": miss.reason,
        "message": miss.message,
        "noted_at": iso(miss.noted_at),
    }
