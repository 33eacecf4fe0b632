"""Who gets in: a permission on every route, the secret, the host, the origin, type and size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.routing import APIRoute

from iaiflow_lab.access.permissions import OWNER, Permission
from iaiflow_lab.access.principal import Principal, local_owner
from iaiflow_lab.api.app import PREFIX, create_app
from iaiflow_lab.api.desk import Needs
from iaiflow_lab.errors import NotAllowedError

#: Routes without a permission, all of them.
OPEN = {("GET", "/healthz")}
#: What every route asks for, as it was reviewed.
EXPECTED = {
    "artifact:read": {"GET /artifacts/{digest}"},
    "flow:read": {
        "GET /flows",
        "GET /flows/{path:path}",
        "GET /flows/{path:path}/versions",
        "GET /targets/{path:path}/parameters",
    },
    "flow:write": {"POST /flows/{path:path}/restore", "PUT /flows/{path:path}"},
    "node:read": {"GET /nodes"},
    "notification:read": {"GET /notifications"},
    "notification:write": {
        "DELETE /notifications/{ref}",
        "POST /notifications",
        "POST /notifications/{ref}/pause",
        "POST /notifications/{ref}/resume",
    },
    "run:read": {
        "GET /events",
        "GET /logs",
        "GET /runs",
        "GET /runs/{run_id}",
        "GET /runs/{run_id}/diff/{other}",
        "GET /runs/{run_id}/events",
        "GET /runs/{run_id}/export",
        "GET /runs/{run_id}/files",
        "GET /runs/{run_id}/inputs",
        "GET /runs/{run_id}/logs",
        "GET /runs/{run_id}/notebook",
        "GET /runs/{run_id}/zip",
    },
    "run:answer": {"POST /runs/{run_id}/answers", "POST /runs/{run_id}/signals"},
    "run:cancel": {"POST /runs/{run_id}/cancel"},
    "run:execute": {
        "POST /runs",
        "POST /runs/{run_id}/queue",
        "POST /runs/{run_id}/retry",
        "POST /schedules/{ref}/run",
    },
    "schedule:read": {
        "GET /schedules",
        "GET /schedules/misses",
        "GET /schedules/{ref}",
        "POST /schedules/preview",
    },
    "schedule:write": {
        "DELETE /schedules/{ref}",
        "POST /schedules",
        "POST /schedules/{ref}/pause",
        "POST /schedules/{ref}/resume",
        "PUT /schedules/{ref}",
    },
    "run:remove": {"DELETE /runs/{run_id}", "POST /storage/clean"},
    "secret:read": {"GET /secrets"},
    "secret:write": {
        "DELETE /secrets/{name}",
        "POST /secrets/rotate",
        "PUT /secrets/{name}",
    },
    "server:read": {"GET /metrics", "GET /openapi.json", "GET /storage", "GET /system"},
}


def walk(routes, prefix="") -> Iterator[tuple[str, str, APIRoute]]:
    """Yield the method, path and route of everything that an application answers."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                yield method, prefix + route.path, route
        else:
            yield from walk(route.original_router.routes, prefix + route.include_context.prefix)


def needed(route: APIRoute) -> list[Permission]:
    calls = [dependency.dependency for dependency in route.dependencies]
    return [call.permission for call in calls if isinstance(call, Needs)]


@pytest.fixture
def routes(app) -> list[tuple[str, str, APIRoute]]:
    return list(walk(app.routes))


def test_every_route_names_one_permission(routes):
    without = {(method, path) for method, path, route in routes if len(needed(route)) != 1}
    assert without == OPEN


def test_every_route_names_the_permission_that_was_reviewed(routes):
    found: dict[str, set[str]] = {}
    for method, path, route in routes:
        for permission in needed(route):
            named = f"{method} {path.removeprefix(PREFIX)}"
            found.setdefault(permission.value, set()).add(named)
    assert found == EXPECTED


def test_every_route_refuses_whoever_lacks_just_its_permission(ask, app, routes):
    desk = app.state.desk
    for method, path, route in routes:
        for permission in needed(route):
            lacking = Principal("somebody", OWNER - {permission})
            app.state.desk = replace(desk, principal=lacking)
            concrete = path.replace(":path", "").replace("{", "").replace("}", "")
            answer = ask.request(method, concrete, json={} if method in {"POST", "PUT"} else None)
            assert answer.status_code == 403, (method, path)
            assert answer.json()["code"] == "not-allowed"
            assert answer.json()["where"] == permission.value


def test_the_local_user_may_do_everything():
    assert local_owner("anna").permissions == frozenset(Permission)
    with pytest.raises(NotAllowedError):
        Principal("nobody", frozenset()).require(Permission.RUN_READ)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic a-secret-of-this-test"])
def test_a_wrong_secret_is_refused_on_every_route(ask, routes, given):
    for method, path, _ in routes:
        answer = ask.request(method, path, headers={"Authorization": given})
        assert answer.status_code == (200 if (method, path) in OPEN else 401), path


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.2:80", "[::2]", "[", ""]
)
def test_other_hosts_are_refused(ask, host):
    answer = ask.get("/healthz", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["code"] == "host-refused"


@pytest.mark.parametrize("host", ["localhost:8123", "127.0.0.1", "[::1]:99"])
def test_the_loopback_is_answered(ask, host):
    assert ask.get("/healthz", headers={"Host": host}).json() == {"status": "ok"}


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://localhost:1", "file://"])
def test_pages_of_other_sites_are_refused(ask, origin):
    answer = ask.post("/api/v1/runs", json={"target": "x"}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_json_is_refused(ask, kind):
    sent = {"content": b'{"target": "hello.flow.json"}', "headers": {"Content-Type": kind}}
    assert ask.post("/api/v1/runs", **sent).status_code == 415
    assert ask.get("/api/v1/runs").json() == []


def test_large_bodies_are_refused_before_they_are_read(ask):
    def endless() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 500_000

    assert ask.post("/api/v1/runs", content=b" " * 5_000_001).status_code == 413
    answer = ask.post("/api/v1/runs", content=endless())
    assert answer.status_code == 413
    assert answer.json()["code"] == "too-large"


def test_without_a_secret_whoever_reaches_the_socket_may_ask(project):
    from fastapi.testclient import TestClient

    with TestClient(create_app(project, secret=None), base_url="http://localhost") as client:
        assert client.get("/api/v1/runs").json() == []
