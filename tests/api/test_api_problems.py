"""Every refusal is a problem document with a code."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

MEMBERS = {"type", "title", "status", "code", "detail", "where", "remedy"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not-found"),
        ("GET", "/api/v1/runs/", None, 404, "not-found"),
        ("DELETE", "/api/v1/runs", None, 405, "method-not-allowed"),
        ("GET", "/api/v1/runs/run_0", None, 404, "not-found"),
        ("GET", "/api/v1/runs?limit=0", None, 422, "input-invalid"),
        ("GET", "/api/v1/runs?limit=x", None, 422, "request-invalid"),
        ("GET", "/api/v1/runs?state=sleeping", None, 422, "request-invalid"),
        ("POST", "/api/v1/runs", {}, 422, "request-invalid"),
        ("POST", "/api/v1/runs", {"target": "hello.flow.json", "nodes": {}}, 422, None),
        ("POST", "/api/v1/runs", {"target": "no.flow.json"}, 404, "not-found"),
        ("POST", "/api/v1/runs", {"target": "no.ipynb"}, 404, "file-not-found"),
        ("POST", "/api/v1/runs", {"target": "../no.ipynb"}, 422, "path-refused"),
        ("POST", "/api/v1/runs", {"target": "hello.flow.json", "inputs": {"n": 1}}, 422, None),
        ("POST", "/api/v1/runs", {"target": "report.ipynb", "inputs": {"a b": 1}}, 422, None),
        (
            "POST",
            "/api/v1/runs",
            {"target": "hello.flow.json", "options": {"priority": 5_000}},
            422,
            "input-invalid",
        ),
        ("PUT", "/api/v1/flows/x.flow.json", {"definition": {"name": 1}}, 422, "flow-invalid"),
        ("POST", "/api/v1/schedules/preview", {"cron": "99 * * * *"}, 422, None),
        ("POST", "/api/v1/schedules/preview", {"cron": "* * * * *", "every": 1}, 422, None),
        ("POST", "/api/v1/schedules/preview", {}, 422, None),
        ("GET", "/api/v1/artifacts/abc", None, 422, "input-invalid"),
    ],
)
def test_refusals(ask, method, path, body, status, code):
    answer = ask.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found.keys() == MEMBERS
    assert found["status"] == status
    assert found["detail"].endswith((".", "?"))
    assert code is None or found["code"] == code


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"target": NaN}', '{"target": "\ud800"}']
)
def test_what_is_no_request_is_refused(ask, text):
    answer = ask.post("/api/v1/runs", content=text.encode("utf-8", "surrogatepass"))
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"request-invalid", "request-refused", "input-invalid"}


def test_what_is_no_finite_number_is_refused(ask):
    text = '{"target": "hello.flow.json", "inputs": {"topic": NaN}}'
    assert ask.post("/api/v1/runs", content=text.encode()).status_code == 422


def test_a_defect_says_nothing_of_itself(ask, app, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a secret place")

    monkeypatch.setattr("iaiflow_lab.api.routes.flows.flows.list_flows", fail)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get("/api/v1/flows", headers=dict(ask.headers))
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret place" not in answer.text


def test_the_description_names_permissions(ask):
    found = ask.get("/openapi.json").json()
    assert found["paths"]["/api/v1/runs"]["post"]["x-permission"] == "run:execute"
