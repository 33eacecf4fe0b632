"""Schedules: save, list, preview, pause, run now, and what was missed."""

from __future__ import annotations

from typing import Any

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import NewSchedule, Nothing, When
from iaiflow_lab.api.desk import At, Desk, Routes
from iaiflow_lab.service import as_data, firing, schedules, servers
from iaiflow_lab.service.schedule_rows import Schedule

routes = Routes("schedules")


@routes.get("/schedules", Permission.SCHEDULE_READ)
def list_(desk: At) -> dict[str, Any]:
    """List schedules, the next to fire first, and say which process fires them."""
    found = schedules.list_schedules(desk.session)
    return {
        "schedules": [as_data.schedule_data(schedule) for schedule in found],
        "fired_by": servers.firing_note(desk.session),
    }


@routes.post("/schedules", Permission.SCHEDULE_WRITE, status_code=201)
def add(desk: At, body: NewSchedule) -> dict[str, Any]:
    """Save a schedule."""
    return _shown(desk, schedules.add(desk.session, body.read(), desk.catalog()))


@routes.post("/schedules/preview", Permission.SCHEDULE_READ)
def preview(desk: At, body: When) -> dict[str, Any]:
    """Return the next ten moments of a rule that is not saved yet."""
    rule = body.read()
    moments = schedules.preview(desk.session, rule)
    return {
        **as_data.rule_data(rule),
        "next": [as_data.moment_data(moment) for moment in moments],
        "fired_by": servers.firing_note(desk.session),
    }


@routes.get("/schedules/misses", Permission.SCHEDULE_READ)
def misses(desk: At, schedule: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """List moments for which no run was made, the newest first."""
    return [as_data.miss_data(miss) for miss in schedules.misses(desk.session, schedule, limit)]


@routes.get("/schedules/{ref}", Permission.SCHEDULE_READ)
def show(desk: At, ref: str) -> dict[str, Any]:
    """Show a schedule and its next ten moments."""
    return _shown(desk, schedules.get(desk.session, ref))


@routes.put("/schedules/{ref}", Permission.SCHEDULE_WRITE)
def edit(desk: At, ref: str, body: NewSchedule) -> dict[str, Any]:
    """Replace what a schedule does."""
    return _shown(desk, schedules.edit(desk.session, ref, body.read(), desk.catalog()))


@routes.delete("/schedules/{ref}", Permission.SCHEDULE_WRITE, status_code=204)
def remove(desk: At, ref: str) -> None:
    """Delete a schedule; the runs that it made stay."""
    schedules.remove(desk.session, ref)


@routes.post("/schedules/{ref}/pause", Permission.SCHEDULE_WRITE)
def pause(desk: At, ref: str, body: Nothing) -> dict[str, Any]:
    """Let a schedule fire no more until it is resumed."""
    del body  # says nothing
    return _shown(desk, schedules.pause(desk.session, ref))


@routes.post("/schedules/{ref}/resume", Permission.SCHEDULE_WRITE)
def resume(desk: At, ref: str, body: Nothing) -> dict[str, Any]:
    """Let a paused schedule go on from its next moment."""
    del body  # says nothing
    return _shown(desk, schedules.resume(desk.session, ref))


@routes.post("/schedules/{ref}/run", Permission.RUN_EXECUTE, status_code=201, begins=True)
def run(desk: At, ref: str, body: Nothing) -> dict[str, Any]:
    """Queue a run of a schedule now."""
    del body  # says nothing
    return {"id": firing.run_now(desk.session, ref, desk.catalog()), "state": "queued"}


def _shown(desk: Desk, schedule: Schedule) -> dict[str, Any]:
    moments = schedules.next_times(desk.session, schedule.id)
    return as_data.schedule_data(schedule) | {
        "next": [as_data.moment_data(moment) for moment in moments],
        "fired_by": servers.firing_note(desk.session),
    }
