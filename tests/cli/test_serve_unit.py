"""`iaiflow serve --install`: a unit that systemd can read, whatever the folder is called."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is of Linux")


@pytest.fixture
def place(workspace, monkeypatch) -> Callable[[str], Path]:
    """Return `place(name)`: a workspace of that name, which is the current folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(workspace / "config"))

    def make(name: str) -> Path:
        folder = workspace / name
        (folder / ".iaiflow").mkdir(parents=True)
        monkeypatch.chdir(folder)
        return folder

    return make


@pytest.fixture
def serve(command_line):
    """Return `serve(...)`: the command in this process."""
    return partial(command_line, "serve")


def units(folder: Path) -> list[Path]:
    return list((folder.parent / "config" / "systemd" / "user").glob("*"))


def settings(unit: Path) -> dict[str, str]:
    lines = unit.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def words(value: str) -> list[str]:
    """Return quoted words as systemd reads them, `%` and `$` included."""
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    plain = [re.sub(r"\\(.)", r"\1", word) for word in quoted]
    return [word.replace("%%", "%").replace("$$", "$") for word in plain]


@pytest.mark.parametrize("name", ["lab", "my lab", '50% of $HOME "x"', "b\\n", "Đà Lạt", "%h"])
def test_a_folder_of_any_name_is_served(place, serve, name):
    folder = place(name)
    said = serve("--install", "--workers", "2", "--socket", "a %n $b", "-q", "gpu", "--grace", "7")
    assert said.status == 0, said.err
    (unit,) = units(folder)
    found = settings(unit)
    assert found["WorkingDirectory"].replace("%%", "%") == str(folder)
    assert words(found["ExecStart"]) == [
        *(sys.executable, "-P", "-m", "iaiflow_lab", "serve", "--workers", "2", "--queue", "gpu"),
        *("--socket", str(folder / "a %n $b"), "--grace", "7"),
    ]
    assert found["TimeoutStopSec"] == "22"
    assert str(unit) in said.out
    assert f"systemctl --user enable --now {unit.name}" in said.out
    assert "loginctl enable-linger" in said.out
    if shutil.which("systemd-analyze"):
        check = ["systemd-analyze", "verify", "--man=no", str(unit)]
        checked = subprocess.run(check, capture_output=True, text=True, check=False)
        assert unit.name not in checked.stderr
        assert checked.returncode == 0, checked.stderr


def test_a_state_folder_that_is_moved_stays_moved(place, serve, monkeypatch):
    folder = place("lab")
    monkeypatch.setenv("IAIFLOW_STATE_DIR", "some where")
    assert serve("--install", "--no-clock", "--port", "0").status == 0
    found = settings(units(folder)[0])
    assert words(found["Environment"]) == [f"IAIFLOW_STATE_DIR={folder / 'some where'}"]
    assert words(found["ExecStart"])[-5:] == ["--port", "0", "--no-clock", "--grace", "30"]


def test_it_is_replaced_and_removed(place, serve):
    folder = place("lab")
    serve("--install")
    serve("--install", "--workers", "3")
    (unit,) = units(folder)
    assert '"--workers" "3"' in unit.read_text()
    wanted = unit.parent / "default.target.wants"
    wanted.mkdir()
    (wanted / unit.name).symlink_to(unit)
    said = serve("--uninstall")
    assert f"systemctl --user stop {unit.name}" in said.out
    assert units(folder) == []
    again = serve("--uninstall")
    assert again.status == 2
    assert "No unit serves this workspace" in again.err


@pytest.mark.parametrize("name", ["line\nbreak", "end ", "end\\"])
def test_what_a_unit_cannot_name_is_refused(place, serve, name):
    folder = place(name)
    said = serve("--install")
    assert said.status == 2
    assert "cannot name this folder" in said.err
    assert units(folder) == []


def test_elsewhere_the_way_is_shown(place, serve, monkeypatch):
    place("lab")
    monkeypatch.setattr("iaiflow_lab.api.systemd.sys.platform", "darwin")
    said = serve("--install")
    assert said.status == 2
    assert "docs/service.md shows how launchd" in said.err


def test_both_at_once_is_refused(place, serve):
    place("lab")
    assert "Give --install or --uninstall" in serve("--install", "--uninstall").err
