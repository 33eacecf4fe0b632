"""Secrets: written, never read."""

from __future__ import annotations

from typing import Any

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.bodies import NewSecret, Nothing
from iaiflow_lab.api.desk import At, Routes
from iaiflow_lab.service import secrets
from iaiflow_lab.service.secrets import secret_data

routes = Routes("secrets")


@routes.get("/secrets", Permission.SECRET_READ)
def list_(desk: At) -> list[dict[str, Any]]:
    """List the secrets by name, with the flows that name them; not what they hold."""
    return [secret_data(secret) for secret in secrets.list_secrets(desk.session, desk.catalog())]


@routes.put("/secrets/{name}", Permission.SECRET_WRITE)
def put(desk: At, name: str, body: NewSecret) -> dict[str, Any]:
    """Set a secret; one of the same name is replaced."""
    value = body.value.get_secret_value()
    return secret_data(secrets.put(desk.session, name, value, desk.principal.name))


@routes.delete("/secrets/{name}", Permission.SECRET_WRITE, status_code=204)
def remove(desk: At, name: str) -> None:
    """Forget a secret."""
    secrets.remove(desk.session, name)


@routes.post("/secrets/rotate", Permission.SECRET_WRITE)
def rotate(desk: At, body: Nothing) -> dict[str, Any]:
    """Encrypt all secrets by new keys; what they hold stays."""
    del body  # says nothing
    return {"secrets": secrets.rotate(desk.session)}
