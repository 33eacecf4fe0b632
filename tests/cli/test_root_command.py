"""The command line as a whole: quick help, clear errors, and the doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata

import pytest

from iaiflow_lab import cli
from iaiflow_lab.cli import doctor, root
from iaiflow_lab.notebook import fork_wire, warm_kernels
from iaiflow_lab.settings import make_state_dir

HEAVY = {"sqlalchemy", "polars", "duckdb", "papermill", "jupyter_client", "pydantic", "altair"}


@pytest.fixture
def iaiflow(workspace, monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["iaiflow", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code or 0, *capsys.readouterr()

    return call


def test_help_names_every_command(iaiflow):
    status, out, _ = iaiflow("--help")
    assert status == 0
    for name in root.COMMANDS:
        assert f" {name} " in out


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom iaiflow_lab.cli import main\nsys.argv = ['iaiflow', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert loaded.isdisjoint(HEAVY)
    assert not any(name.startswith("iaiflow_lab.cli.runs") for name in done.stderr.split())


def test_version(iaiflow):
    assert iaiflow("--version") == (0, f"iaiflow {metadata.version('iaiflow-lab')}\n", "")


def test_a_misspelt_command_is_bad_usage(iaiflow):
    status, _, err = iaiflow("rnus")
    assert status == 2
    assert "Did you mean" in err


@pytest.mark.parametrize("name", ["run", "queue", "worker", "runs", "flows", "doctor"])
def test_every_command_has_help(iaiflow, name):
    status, out, _ = iaiflow(name, "--help")
    assert status == 0
    assert "Usage: iaiflow " + name in out.replace("\n", " ")
    assert "--install-completion" not in out


def test_a_defect_is_one_sentence_with_a_way_to_see_more(iaiflow, monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda workspace: 1 / 0)
    status, _, err = iaiflow("doctor")
    assert status == 2
    assert err.count("\n") == 1
    assert "ZeroDivisionError" in err
    monkeypatch.setenv(cli.DEBUG, "1")
    _, _, err = iaiflow("doctor")
    assert "Traceback" in err


def test_a_healthy_workspace(iaiflow, workspace):
    status, out, _ = iaiflow("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(out)}
    assert status == 0
    assert {finding["state"] for finding in found.values()} <= {"ok", "warning"}
    assert list(found) == [
        *("python", "packages", "settings", "workspace", "room", "server", "secrets"),
        *("kernels", "warm kernels", "isolation"),
    ]
    assert not (workspace / ".iaiflow").exists(), "looking changes nothing"
    assert "kernels" in iaiflow("doctor")[1]


def test_a_state_folder_that_cannot_be_made(iaiflow, workspace, monkeypatch):
    (workspace / "file").write_text("")
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "file"))
    status, out, _ = iaiflow("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(out)}
    assert status == 2
    assert found["workspace"]["state"] == "failed"
    assert "IAIFLOW_STATE_DIR" in found["workspace"]["remedy"]


def test_a_network_disk_is_refused_with_the_remedy(iaiflow, workspace, monkeypatch):
    monkeypatch.setattr("iaiflow_lab.store.store.network_filesystem", lambda folder: "nfs4")
    monkeypatch.setattr(doctor, "network_filesystem", lambda folder: "nfs4")
    status, out, _ = iaiflow("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(out)}
    assert status == 2
    assert "nfs4" in found["workspace"]["message"]
    assert "IAIFLOW_STATE_DIR" in found["workspace"]["remedy"]


def test_wrong_settings_are_named(iaiflow, workspace):
    (workspace / ".iaiflow").mkdir()
    (workspace / ".iaiflow" / "config.toml").write_text("lease_s = 0")
    status, out, _ = iaiflow("doctor", "--json")
    found = {finding["check"]: finding for finding in json.loads(out)}
    assert status == 2
    assert "lease_s" in found["settings"]["message"]


def test_the_doctor_says_where_kernels_come_from(iaiflow, workspace, monkeypatch):
    def finding() -> dict:
        found = json.loads(iaiflow("doctor", "--json")[1])
        return next(finding for finding in found if finding["check"] == "warm kernels")

    monkeypatch.delenv(fork_wire.SOCKET, raising=False)
    assert "No fork server is running here" in finding()["message"]
    monkeypatch.setattr(warm_kernels, "why_impossible", lambda: "This is no system for it.")
    assert finding()["message"] == "Off: This is no system for it. Kernels start cold"
    monkeypatch.setattr(warm_kernels, "why_impossible", lambda: "")
    (make_state_dir(workspace) / warm_kernels.ADDRESS).write_text(str(workspace / "gone"))
    assert finding()["message"] == "The fork server gives no answer. Kernels start cold"
    answer = {"pid": 7, "ready": 1, "taken": 2, "late_imports": ["busy"], "refused_imports": {}}
    monkeypatch.setattr(warm_kernels, "ask_state", lambda path: answer)
    assert finding()["message"] == (
        "1 ready, 2 in use (process 7); busy starts threads, so each kernel imports it itself"
    )
    answer["refused_imports"] = {"absent": "ModuleNotFoundError"}
    assert finding()["state"] == "warning"
    (make_state_dir(workspace) / "config.toml").write_text("warm_kernels = 0")
    assert finding()["message"] == "Off by warm_kernels = 0: kernels start cold"
