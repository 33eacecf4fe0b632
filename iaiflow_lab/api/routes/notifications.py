"""Rules that say who is told about which runs."""

from __future__ import annotations

from typing import Any

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import NewRule, Nothing
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import notifications
from iaiflow_lab.service.notifications import rule_data

routes = Routes("notifications")


@routes.get("/notifications", Permission.NOTIFICATION_READ)
def list_(desk: At) -> list[dict[str, Any]]:
    """List the rules, with what became of what they had to tell."""
    return [rule_data(rule) for rule in notifications.list_rules(desk.session)]


@routes.post("/notifications", Permission.NOTIFICATION_WRITE, status_code=201)
def add(desk: At, body: NewRule) -> dict[str, Any]:
    """Save a rule; it counts for what happens from now on."""
    return rule_data(notifications.add(desk.session, body.read()))


@routes.post("/notifications/{ref}/pause", Permission.NOTIFICATION_WRITE)
def pause(desk: At, ref: str, body: Nothing) -> dict[str, Any]:
    """Let a rule tell nothing until it is resumed."""
    del body  # says nothing
    return rule_data(notifications.pause(desk.session, ref))


@routes.post("/notifications/{ref}/resume", Permission.NOTIFICATION_WRITE)
def resume(desk: At, ref: str, body: Nothing) -> dict[str, Any]:
    """Let a paused rule tell what happens from now on."""
    del body  # says nothing
    return rule_data(notifications.resume(desk.session, ref))


@routes.delete("/notifications/{ref}", Permission.NOTIFICATION_WRITE, status_code=204)
def remove(desk: At, ref: str) -> None:
    """Delete a rule, with what it had still to tell."""
    notifications.remove(desk.session, ref)
