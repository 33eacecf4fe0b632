"""What the routes answer, over real flows and notebooks."""

from __future__ import annotations

import asyncio
import json
import time
from hashlib import sha256
from threading import Event

import pytest

from iaiflow_lab.api.app import create_app
from iaiflow_lab.service import log_search, open_session
from iaiflow_lab.service.log_search import Found


def start(ask, target="hello.flow.json", **rest) -> str:
    answer = ask.post("/api/v1/runs", json={"target": target, **rest})
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "draft" if rest.get("draft") else "queued"
    return answer.json()["id"]


def sent(text: str) -> list[tuple[str, dict]]:
    """Return the ids and data of server-sent events."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block.startswith("id:")]
    return [(a.removeprefix("id: "), json.loads(b.removeprefix("data: "))) for a, b in blocks]


def test_a_run_from_start_to_end(ask, work_off):
    run_id = start(ask, inputs={"topic": "geese"})
    work_off()
    run = ask.get(f"/api/v1/runs/{run_id}").json()
    assert run["state"] == "completed"
    assert run["inputs"] == {"topic": "geese"}
    assert [step["step"] for step in run["steps"]] == ["greet"]
    assert [found["id"] for found in ask.get("/api/v1/runs?state=completed").json()] == [run_id]
    assert ask.get("/api/v1/runs?state=failed").json() == []
    again = ask.post(f"/api/v1/runs/{run_id}/retry", json={"from_start": True}).json()
    assert again["retry_of"] == run_id


def test_a_run_has_a_budget_for_its_models(ask):
    run_id = start(ask, options={"budget": {"calls": 200, "cost": 2}})
    assert ask.get(f"/api/v1/runs/{run_id}").json()["budget"] == {"cost": 2.0, "calls": 200}
    assert ask.get("/api/v1/runs").json()[0]["budget"] == {"cost": 2.0, "calls": 200}
    refused = ask.post(
        "/api/v1/runs", json={"target": "hello.flow.json", "options": {"budget": {"cots": 2}}}
    )
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    told = refused.json()
    assert (told["where"], told["remedy"]) == ("budget", "Did you mean 'cost'?")
    assert told["detail"] == "A run has no limit 'cots'."


def test_a_draft_is_queued_and_cancelled(ask):
    run_id = start(ask, draft=True)
    assert ask.post(f"/api/v1/runs/{run_id}/queue", json={}).json()["state"] == "queued"
    answer = ask.post(f"/api/v1/runs/{run_id}/cancel", json={"reason": "No need."})
    assert answer.json() == {"id": run_id, "state": "cancelled"}


def test_events_stream_and_go_on_after_the_last_one(ask, work_off):
    run_id = start(ask)
    work_off()
    path = f"/api/v1/runs/{run_id}/events"
    stream = {"Accept": "text/event-stream"}
    listed = ask.get(path).json()
    answer = ask.get(path, headers=stream)
    assert answer.headers["content-type"].startswith("text/event-stream")
    streamed = sent(answer.text)
    assert [data for _, data in streamed] == listed
    assert [int(number) for number, _ in streamed] == list(range(1, len(listed) + 1))
    rest = ask.get(path, headers=stream | {"Last-Event-ID": "2"})
    assert sent(rest.text) == streamed[2:]
    over = ask.get(path, headers=stream | {"Last-Event-ID": str(len(listed))})
    assert over.status_code == 204
    assert ask.get(path, params={"after": 2}).json() == listed[2:]


@pytest.mark.parametrize("last", ["-1", "a", "1e3", "9" * 400])
def test_odd_ids_of_events_are_refused(ask, last):
    run_id = start(ask)
    answer = ask.get(f"/api/v1/runs/{run_id}/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 422
    odd = ask.get("/api/v1/events", headers={"Last-Event-ID": f"nan{last}"})
    assert odd.status_code == 422


def test_a_waiting_run_is_approved(ask, work_off):
    run_id = start(ask, "ask.flow.json")
    work_off()
    (wait,) = ask.get(f"/api/v1/runs/{run_id}").json()["waits"]
    assert wait["message"] == "Shall we?"
    path = f"/api/v1/runs/{run_id}/answers"
    assert ask.post(path, json={"outcome": "due"}).status_code == 422
    given = ask.post(path, json={"step": "ask", "outcome": "approved", "reason": "Yes."}).json()
    assert (given["state"], given["waits"][0]["outcome"]) == ("queued", "approved")
    late = ask.post(path, json={"step": "ask", "outcome": "refused"})
    assert late.status_code == 409
    work_off()
    assert ask.get(f"/api/v1/runs/{run_id}").json()["state"] == "completed"


def test_signals_are_kept_once(ask):
    run_id = start(ask, "ask.flow.json")
    path = f"/api/v1/runs/{run_id}/signals"
    body = {"name": "go", "payload": [1], "dedupe": "a"}
    assert ask.post(path, json=body).json() == {"step": "", "known": False}
    assert ask.post(path, json=body).json() == {"step": "", "known": True}


def test_flows_are_saved_and_restored(ask, project):
    path = "/api/v1/flows/hello.flow.json"
    definition = ask.get(path).json()
    assert definition["name"] == "Hello"
    assert ask.put(path, json={"definition": definition}).json()["number"] == 1
    definition["nodes"]["greet"]["config"]["template"] = "Bye"
    assert ask.put(path, json={"definition": definition, "note": "Bye"}).json()["number"] == 2
    assert [save["note"] for save in ask.get(f"{path}/versions").json()] == ["Bye", ""]
    assert ask.post(f"{path}/restore", json={"version": "1"}).json()["number"] == 3
    assert "Hello" in (project / "hello.flow.json").read_text()
    assert "Bye" in str(ask.get(path, params={"version": "2"}).json())
    assert {flow["path"] for flow in ask.get("/api/v1/flows").json()} == {
        "hello.flow.json",
        "ask.flow.json",
    }


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd.flow.json", "C:x.flow.json", "x.json"])
def test_flows_outside_are_refused(ask, name):
    assert ask.get(f"/api/v1/flows/{name}").status_code in {404, 422}
    body = {"definition": {"format": "iaiflow/1", "name": "x", "nodes": {}}}
    assert ask.put(f"/api/v1/flows/{name}", json=body).status_code in {404, 422}


def test_parameters_as_a_json_schema(ask):
    found = ask.get("/api/v1/targets/report.ipynb/parameters").json()
    assert found["properties"] == {
        "limit": {"type": "integer", "default": 10},
        "name": {"type": "string"},
    }
    assert found["required"] == ["name"]
    assert found["additionalProperties"] is False
    found = ask.get("/api/v1/targets/hello.flow.json/parameters").json()
    assert found["properties"]["topic"]["default"] == "ducks"
    assert found["required"] == []


def test_a_schedule_from_preview_to_removal(ask):
    when = {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin"}
    preview = ask.post("/api/v1/schedules/preview", json=when).json()
    assert len(preview["next"]) == 10
    assert "iaiflow serve" in preview["fired_by"]
    body = {"target": "hello.flow.json", "when": when, "name": "mornings"}
    made = ask.post("/api/v1/schedules", json=body)
    assert made.status_code == 201
    assert made.json()["next"] == preview["next"]
    path = "/api/v1/schedules/mornings"
    assert ask.post(f"{path}/pause", json={}).json()["state"] == "paused"
    assert ask.post(f"{path}/resume", json={}).json()["state"] == "active"
    changed = ask.put(path, json=body | {"when": {"every": "15m"}}).json()
    assert changed["rule"] == {"kind": "interval", "seconds": 900.0}
    run_id = ask.post(f"{path}/run", json={}).json()["id"]
    assert ask.get(f"/api/v1/runs/{run_id}").json()["state"] == "queued"
    assert ask.get("/api/v1/schedules/misses").json() == []
    assert [s["name"] for s in ask.get("/api/v1/schedules").json()["schedules"]] == ["mornings"]
    assert ask.delete(path).status_code == 204
    assert ask.get(path).status_code == 404


PAGE = """
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.page", effects="read")
def page(ctx: Context) -> str:
    ctx.artifact("page.html", b"<script>alert(1)</script>", media_type="text/html")
    return "made"
"""


def test_artifacts_are_only_ever_downloaded(ask, project, work_off):
    (project / "flow_nodes").mkdir()
    (project / "flow_nodes" / "toys.py").write_text(PAGE)
    definition = {"format": "iaiflow/1", "name": "Page", "nodes": {"page": {"type": "toy.page"}}}
    (project / "page.flow.json").write_text(json.dumps(definition))
    run_id = start(ask, "page.flow.json")
    work_off()
    (file,) = ask.get(f"/api/v1/runs/{run_id}/files").json()
    answer = ask.get(f"/api/v1/artifacts/{file['artifact']}")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_only_what_runs_name_is_an_artifact(ask, project):
    with open_session(project) as session:
        stray = session.store.artifacts.put(b"of nobody")
    assert ask.get(f"/api/v1/artifacts/{stray}").status_code == 404
    assert ask.get(f"/api/v1/artifacts/{sha256(b'-').hexdigest()}").status_code == 404
    assert ask.get("/api/v1/artifacts/..%2Flab.db").status_code in {404, 422}


def test_nodes_and_the_system(ask):
    found = ask.get("/api/v1/nodes").json()
    assert "text.template" in {node["type"] for node in found["nodes"]}
    start(ask)
    system = ask.get("/api/v1/system").json()
    assert system["runs"] == [{"state": "queued", "queue": "default", "count": 1}]
    assert system["disk"]["free"] > 0
    assert system["draining"] is False


def test_what_a_step_was_given(ask, work_off):
    run_id = start(ask, inputs={"topic": "geese"})
    work_off()
    given = ask.get(f"/api/v1/runs/{run_id}/inputs", params={"step": "greet"}).json()
    assert given["type"] == "text.template"
    again = ask.post(f"/api/v1/runs/{run_id}/retry", json={"start": "greet"})
    assert again.status_code == 201
    assert ask.post(f"/api/v1/runs/{run_id}/retry", json={"start": "no"}).status_code == 404


def test_rules_of_notifications(ask):
    body = {"channel": "webhook", "target": "env:HOOK", "secret": "HOOK_KEY", "group": "5m"}
    made = ask.post("/api/v1/notifications", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/v1/notifications/{made.json()['id']}"
    assert ask.post(f"{path}/pause", json={}).status_code == 200
    assert ask.post(f"{path}/resume", json={}).status_code == 200
    assert [rule["id"] for rule in ask.get("/api/v1/notifications").json()] == [made.json()["id"]]
    assert ask.post("/api/v1/notifications", json={"channel": "owl", "target": "x"}).is_error
    assert ask.delete(path).status_code == 204
    assert ask.get("/api/v1/notifications").json() == []


def test_metrics_are_there_for_prometheus(ask):
    start(ask)
    answer = ask.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'state="queued"' in answer.text


def test_a_server_that_ends_begins_nothing(ask, app):
    app.state.desk.draining.set()
    refused = ask.post("/api/v1/runs", json={"target": "hello.flow.json"})
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["code"] == "unavailable"
    assert ask.get("/api/v1/runs").json() == []


def test_runs_are_removed_and_what_is_kept_is_measured(ask, work_off):
    run_id = start(ask)
    refused = ask.delete(f"/api/v1/runs/{run_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    work_off()
    assert ask.get("/api/v1/storage").json()["database"] > 0
    assert ask.delete(f"/api/v1/runs/{run_id}").json()["runs"] == 1
    assert ask.get(f"/api/v1/runs/{run_id}").status_code == 404
    assert ask.post("/api/v1/storage/clean", json={}).json()["runs"] == 0
    system = ask.get("/api/v1/system").json()
    assert system["shortage"] is None
    assert system["served_by"] == "Nothing serves this workspace."


def test_a_search_ends_when_nobody_waits_for_it(project, monkeypatch):
    app = create_app(project, secret=None)
    begun, ended = Event(), Event()

    def endless(_, __, is_stopped):
        begun.set()
        while not is_stopped():
            time.sleep(0.01)
        ended.set()
        return Found([], is_cut=True)

    async def receive():
        await asyncio.to_thread(begun.wait, 60)
        return {"type": "http.disconnect"}

    async def send(_):
        """Take an answer that nobody reads."""

    async def ask():
        async with app.router.lifespan_context(app):
            await app(scope, receive, send)

    monkeypatch.setattr(log_search, "search", endless)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/logs",
        "query_string": b"grep=x",
        "headers": [],
    }
    asyncio.run(ask())
    assert ended.is_set()


def test_secrets_are_written_and_never_read(ask):
    value = "canary-hunter2-tail"
    assert ask.get("/api/v1/secrets").json() == []
    made = ask.put("/api/v1/secrets/TOKEN", json={"value": value})
    assert (made.status_code, made.json()["version"]) == (200, 1)
    assert ask.put("/api/v1/secrets/TOKEN", json={"value": value}).json()["version"] == 2
    assert ask.post("/api/v1/secrets/rotate", json={}).json() == {"secrets": 1}
    listed = ask.get("/api/v1/secrets")
    assert [secret["name"] for secret in listed.json()] == ["TOKEN"]
    assert value not in listed.text + made.text
    assert ask.get("/api/v1/secrets/TOKEN").status_code == 405
    for body in ({"value": 12345678}, {"value": ""}, {"valu": value}, {}):
        refused = ask.put("/api/v1/secrets/TOKEN", json=body)
        assert refused.status_code == 422
        assert "12345678" not in refused.text
        assert value not in refused.text
    assert ask.delete("/api/v1/secrets/TOKEN").status_code == 204
    assert ask.delete("/api/v1/secrets/TOKEN").status_code == 404
