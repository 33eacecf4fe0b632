"""A real Jupyter server with the workspace's API behind it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from iaiflow_extension import proxy
from iaiflow_extension.child import Child
from iaiflow_extension.proxy import Proxy
from iaiflow_lab.api.address import KEY_FILE, served_at

pytestmark = [pytest.mark.slow, pytest.mark.fault]

TOKEN = "jupyters-own-token"
PATIENCE = 150.0
#: What Jupyter says where it is.
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")
NODES = """
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.gate", effects="read")
def gate(ctx: Context) -> str:
    ctx.log("at the gate")
    return (ctx.workspace / "gate").read_text()
"""


class Jupyter:
    """A Jupyter server's process, once it answers."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        own = {
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        }
        command = [sys.executable, "-P", "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += ["--ServerApp.port=0", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}"]
        command += ['--ServerApp.jpserver_extensions={"iaiflow_extension": True}']
        command += ["--ServerApp.allow_unauthenticated_access=False"]
        self.process = subprocess.Popen(
            command, env=os.environ | own, stderr=subprocess.PIPE, text=True
        )
        said = (ADDRESS.search(line) for line in self.process.stderr)
        self.port = next(int(found.group(1)) for found in said if found)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/iaiflow",
            headers={"Authorization": f"token {TOKEN}"} | headers,
            timeout=PATIENCE,
        )

    def servers(self) -> list[psutil.Process]:
        """Return the children that serve."""
        found: list[psutil.Process] = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                found += [child] if "serve" in child.cmdline() else []
        return found


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "root"
    (root / "flow_nodes").mkdir(parents=True)
    (root / "flow_nodes" / "toys.py").write_text(NODES)
    definition = {"format": "iaiflow/1", "name": "Gate", "nodes": {"gate": {"type": "toy.gate"}}}
    (root / "gate.flow.json").write_text(json.dumps(definition))
    os.mkfifo(root / "gate")
    return root


@pytest.fixture
def start(folder, tmp_path, monkeypatch) -> Iterator:
    """Return `start()`: a Jupyter server over the folder, ended with the test."""
    monkeypatch.delenv("IAIFLOW_STATE_DIR", raising=False)
    started: list[Jupyter] = []
    children: list[psutil.Process] = []

    def run() -> Jupyter:
        started.append(Jupyter(folder, tmp_path / f"home{len(started)}"))
        return started[-1]

    yield run
    for jupyter in started:
        if jupyter.process.poll() is None:
            children += jupyter.servers()
            jupyter.process.kill()
        jupyter.process.wait(PATIENCE)
        jupyter.process.stderr.close()
    psutil.wait_procs(children, PATIENCE)


def test_the_api_is_there_for_whoever_is_logged_in(start, folder):
    jupyter = start()
    assert not (folder / ".iaiflow").exists(), "nothing is written before it is wanted"
    runs = f"http://127.0.0.1:{jupyter.port}/iaiflow/api/v1/runs"
    stranger = httpx.get(runs, timeout=PATIENCE)
    assert stranger.status_code in {302, 403}
    with jupyter.client() as client:
        assert client.get("/api/v1/runs").json() == []
        refused = client.post("/api/v1/runs", json={"target": "none.flow.json"})
        assert refused.status_code == 404
        assert refused.json()["code"] == "not-found"
        assert client.get("/api/v1/system").json()["servers"][0]["kind"] == "jupyter"
        begin(client)
    address = served_at(folder / ".iaiflow")
    transport = httpx.HTTPTransport(uds=address.removeprefix("unix:"))
    own = {"transport": transport, "base_url": "http://localhost", "timeout": PATIENCE}
    with httpx.Client(**own) as direct:
        assert direct.get("/api/v1/runs").status_code == 401
        answer = direct.get("/api/v1/runs", headers={"Authorization": f"token {TOKEN}"})
        assert answer.status_code == 401
    (folder / "gate").write_text("open")


def begin(client: httpx.Client) -> str:
    """Start a run and return its id when it stands at the gate; its events come one by one."""
    run_id = client.post("/api/v1/runs", json={"target": "gate.flow.json"}).json()["id"]
    stream = {"Accept": "text/event-stream"}
    with client.stream("GET", f"/api/v1/runs/{run_id}/events", headers=stream) as answer:
        for line in answer.iter_lines():
            if '"step_log"' in line:
                return run_id
    raise AssertionError("the stream has ended")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_jupyter_after_its_runs(start, folder, how):
    (folder / ".iaiflow").mkdir()
    jupyter = start()
    with jupyter.client() as client:
        run_id = begin(client)
    (child,) = jupyter.servers()
    jupyter.process.send_signal(how)
    jupyter.process.wait(PATIENCE)
    assert child.is_running()
    (folder / "gate").write_text("open")
    child.wait(PATIENCE)
    assert served_at(folder / ".iaiflow") == ""
    assert not (folder / ".iaiflow" / KEY_FILE).exists()
    shown = [sys.executable, "-P", "-m", "iaiflow_lab", "runs", "show", run_id, "--json"]
    found = subprocess.run(shown, cwd=folder, capture_output=True, check=True, text=True)
    assert json.loads(found.stdout)["state"] == "completed"


def test_a_server_that_dies_is_started_again(start, folder):
    jupyter = start()
    with jupyter.client() as client:
        client.get("/api/v1/runs")
        (child,) = jupyter.servers()
        child.kill()
        child.wait(PATIENCE)
        assert client.get("/api/v1/runs").json() == []
    (after,) = jupyter.servers()
    assert after.pid != child.pid


class Failing(Child):
    """A child that ends at once, and whose keeper starts nothing else after the test either."""

    def _run(self) -> int:
        return 1


def test_a_server_that_cannot_start_is_told_of_at_once(tmp_path, monkeypatch):
    monkeypatch.delenv("IAIFLOW_STATE_DIR", raising=False)
    monkeypatch.setattr(proxy, "_START_S", 3_600.0)  # longer than a test may take
    told: list[str] = []
    child = Failing(tmp_path, told.append)
    child.start()
    asked = Proxy._address(SimpleNamespace(_child=child))
    assert asyncio.run(asked) == ""
    assert "ended with status 1" in told[0]


def test_a_server_of_somebody_else_is_used(start, folder):
    (folder / ".iaiflow").mkdir()
    command = [sys.executable, "-P", "-m", "iaiflow_lab", "serve"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as other:
        for line in other.stderr:
            if line.startswith("Serving"):
                break
        jupyter = start()
        with jupyter.client() as client:
            system = client.get("/api/v1/system").json()
        assert [server["pid"] for server in system["servers"]] == [other.pid]
        assert jupyter.servers() == []
        jupyter.process.kill()
        other.send_signal(signal.SIGTERM)
        other.communicate(timeout=PATIENCE)
