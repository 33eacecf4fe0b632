"""`iaiflow serve` as real processes: one for a workspace, and what becomes of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from iaiflow_lab.api import address
from iaiflow_lab.api.address import KEY_FILE, LOCK, served_at, sole_server
from iaiflow_lab.errors import StoreError
from iaiflow_lab.service import open_session, servers

pytestmark = [pytest.mark.slow, pytest.mark.fault]

PATIENCE = 120.0
NODES = """
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.gate", effects="read")
def gate(ctx: Context) -> str:
    ctx.log("at the gate")
    return (ctx.workspace / "gate").read_text()
"""


class Served:
    """A server's process, once it answers."""

    def __init__(self, folder: Path, *options: str, **rest) -> None:
        command = [sys.executable, "-P", "-m", "iaiflow_lab", "serve", *options]
        self.state = folder / ".iaiflow"
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, **rest)
        self.hear("Serving")

    def hear(self, sentence: str) -> None:
        """Wait until it says what begins like this."""
        for line in self.process.stderr:
            if line.decode().startswith(sentence):
                return
        raise AssertionError("the server has ended")

    def client(self) -> httpx.Client:
        address = served_at(self.state)
        if address.startswith("unix:"):
            transport = httpx.HTTPTransport(uds=address.removeprefix("unix:"))
            return httpx.Client(transport=transport, base_url="http://localhost", timeout=PATIENCE)
        secret = {"Authorization": f"Bearer {(self.state / KEY_FILE).read_text()}"}
        return httpx.Client(base_url=address, headers=secret, timeout=PATIENCE)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture
def folder(workspace) -> Path:
    """Return a workspace with a flow that stands at a gate until somebody opens it."""
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "toys.py").write_text(NODES)
    definition = {"format": "iaiflow/1", "name": "Gate", "nodes": {"gate": {"type": "toy.gate"}}}
    (workspace / "gate.flow.json").write_text(json.dumps(definition))
    os.mkfifo(workspace / "gate")
    (workspace / ".iaiflow").mkdir()
    return workspace


@pytest.fixture
def serve(folder) -> Iterator:
    """Return `serve(*options)`: a server of the workspace, ended with the test."""
    started = []

    def start(*options: str, **rest) -> Served:
        started.append(Served(folder, *options, **rest))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            for _ in range(3):
                served.process.send_signal(signal.SIGTERM)
        served.wait()
        served.process.stderr.close()


def data(lines: Iterator[str]) -> Iterator[dict]:
    return (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data:"))


def begin(client: httpx.Client) -> str:
    """Start a run and return its id when it stands at the gate."""
    run_id = client.post("/api/v1/runs", json={"target": "gate.flow.json"}).json()["id"]
    stream = {"Accept": "text/event-stream"}
    with client.stream("GET", f"/api/v1/runs/{run_id}/events", headers=stream) as answer:
        next(event for event in data(answer.iter_lines()) if event["kind"] == "step_log")
    return run_id


def test_a_server_ends_after_the_present_run_and_takes_no_other(serve, folder):
    served = serve()
    socket = Path(served_at(served.state).removeprefix("unix:"))
    assert socket.stat().st_mode & 0o777 == 0o600
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    with served.client() as client:
        run_id = begin(client)
        served.process.send_signal(signal.SIGTERM)
        served.hear("Ending after the present runs")
        refused = client.post("/api/v1/runs", json={"target": "gate.flow.json"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert client.get(f"/api/v1/runs/{run_id}").json()["state"] == "running"
        (folder / "gate").write_text("open")
    assert served.wait() == 0
    assert not socket.exists()
    assert served_at(served.state) == ""
    with open_session(folder) as session:
        (found,) = servers.who_fires(session)
        assert found.stopped_at is not None
        row = session.store.db.connection().execute("SELECT state, attempt FROM runs").fetchone()
        assert tuple(row) == ("completed", 1)


def test_asked_twice_it_gives_the_run_back(serve, folder):
    served = serve()
    with served.client() as client:
        run_id = begin(client)
    for sentence in ("Ending after", "Giving the present runs back"):
        served.process.send_signal(signal.SIGTERM)
        served.hear(sentence)
    assert served.wait() == 0
    with serve().client() as client:
        state = client.get(f"/api/v1/runs/{run_id}").json()["state"]
        assert state in {"queued", "claimed", "running"}
        (folder / "gate").write_text("open")
        events = f"/api/v1/runs/{run_id}/events"
        with client.stream("GET", events, headers={"Accept": "text/event-stream"}) as answer:
            last = list(data(answer.iter_lines()))[-1]
        assert last["state"] == "completed"


def test_one_server_for_a_workspace(serve, folder):
    first = serve("--socket", str(folder / "s" / "socket"))
    command = [sys.executable, "-P", "-m", "iaiflow_lab", "serve", "--socket", "s/socket"]
    second = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "already-served" in second.stderr
    assert f"Process {first.process.pid} serves" in second.stderr
    with first.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}


def served(state: Path) -> str:
    """Serve for a moment; returns where others find it."""
    with sole_server(state) as tell:
        tell("here")
        return served_at(state)


def test_whoever_looks_for_a_server_does_not_keep_one_from_starting(tmp_path):
    (tmp_path / LOCK).touch()
    with (tmp_path / LOCK).open() as looked, ThreadPoolExecutor() as pool:
        fcntl.flock(looked, fcntl.LOCK_SH)  # as `served_at` does for a moment
        serving = pool.submit(served, tmp_path)
        wait([serving], timeout=0.05)  # refused at once, it would have ended
        fcntl.flock(looked, fcntl.LOCK_UN)
        assert serving.result(PATIENCE) == "here"


def test_whoever_looks_for_ever_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(address, "_LOOKS", 3)
    (tmp_path / LOCK).touch()
    with (tmp_path / LOCK).open() as looked:
        fcntl.flock(looked, fcntl.LOCK_SH)
        with pytest.raises(StoreError, match="held by a process that does not serve") as told:
            served(tmp_path)
    assert told.value.where == str(tmp_path / LOCK)
    assert served(tmp_path) == "here"


def test_a_killed_server_leaves_its_place_to_the_next(serve, folder):
    place = str(folder / "socket")
    first = serve("--socket", place)
    first.process.kill()
    assert first.wait() == -signal.SIGKILL
    assert (first.state / LOCK).read_text()
    with serve("--socket", place).client() as client:
        assert client.get("/api/v1/runs").json() == []


def test_a_port_wants_the_secret(serve, folder):
    served = serve("--port", "0", "--no-clock")
    token = served.state / KEY_FILE
    assert token.stat().st_mode & 0o777 == 0o600
    stranger = httpx.get(f"{served_at(served.state)}/api/v1/runs", timeout=PATIENCE)
    assert stranger.status_code == 401
    with served.client() as client:
        assert client.get("/api/v1/runs").json() == []
        system = client.get("/api/v1/system").json()
        assert "Nothing fires" in system["fired_by"]
        assert f"--no-clock` (process {served.process.pid} " in system["served_by"]
        (found,) = system["servers"]
        assert (found["kind"], found["fires"]) == ("no-clock", False)
        assert found["address"] == served_at(served.state)
        assert found["stopped_at"] is None
    served.process.send_signal(signal.SIGINT)
    assert served.wait() == 0
    assert not token.exists()
    with open_session(folder) as session:
        (found,) = servers.who_serves(session)
        assert found.stopped_at is not None


def test_all_changes_of_runs_are_streamed_and_resumed(serve, folder):
    served = serve()
    stream = {"Accept": "text/event-stream"}
    with served.client() as client, client.stream("GET", "/api/v1/events", headers=stream) as feed:
        lines = feed.iter_lines()
        next(lines)  # it listens
        with served.client() as other:
            run_id = begin(other)
            (folder / "gate").write_text("open")
            states = []
            for run in data(lines):
                assert run["id"] == run_id
                states.append(run["state"])
                if states[-1] == "completed":
                    break
    assert states[0] in {"queued", "claimed", "running"}
    with served.client() as client:
        again = client.stream("GET", "/api/v1/events", headers=stream | {"Last-Event-ID": "0"})
        with again as feed:
            lines = feed.iter_lines()
            assert next(data(lines))["state"] == "completed"
            assert client.delete(f"/api/v1/runs/{run_id}").json()["runs"] == 1
            next(line for line in lines if line == "event: removed")
            assert next(data(lines)) == {"ids": [run_id]}


def test_a_server_ends_with_its_parent(serve, folder):
    theirs, ours = os.pipe()
    served = serve("--parent", str(theirs), pass_fds=(theirs,))
    os.close(theirs)
    with served.client() as client:
        assert client.get("/api/v1/runs").status_code == 401
        key = (served.state / KEY_FILE).read_text()
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.get("/api/v1/system").json()["servers"][0]["kind"] == "jupyter"
        begin(client)
    os.close(ours)
    served.hear("Ending after the present runs")
    (folder / "gate").write_text("open")
    assert served.wait() == 0
