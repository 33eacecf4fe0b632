"""`iaiflow doctor`: is everything here that runs need?"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

import typer

from iaiflow_lab import queue
from iaiflow_lab.cli.output import AsJson, plain, print_json, print_table
from iaiflow_lab.errors import LabError
from iaiflow_lab.service import open_session, secret_checks, secrets, servers
from iaiflow_lab.settings import find_workspace, load_settings, state_dir
from iaiflow_lab.store.room import Room
from iaiflow_lab.world import real_world
from iaiflow_memory.place import network_filesystem

#: Free disk space below which we warn, in bytes.
_LITTLE: Final = 1024**3
_PACKAGES: Final = ("iaiflow-lab", "ipykernel", "jupyter_client", "papermill", "polars", "duckdb")

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    state: Literal["ok", "warning", "failed"]
    message: str
    #: What to do about it; "" when there is nothing to do.
    remedy: str = ""


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check this machine and workspace; exit status 2 when runs cannot work here."""
    findings = list(examine(find_workspace()))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(2)


def examine(workspace: Path) -> Iterator[Finding]:
    """Yield what every check finds."""
    yield _python()
    yield _versions()
    yield _settings(workspace)
    yield _store(workspace)
    yield _room(workspace)
    yield _server(workspace)
    yield _secrets(workspace)
    yield _kernels()
    yield _warm_kernels(workspace)
    yield _isolation(workspace)


def _print(findings: list[Finding]) -> None:
    from rich.text import Text

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red"}
    rows = [
        (
            Text(finding.state, style=styles[finding.state]),
            finding.check,
            plain(" - ".join(part for part in (finding.message, finding.remedy) if part)),
        )
        for finding in findings
    ]
    print_table(("", "Check", "Found"), rows)


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    return Finding("python", "ok", found)


def _versions() -> Finding:
    missing: list[str] = []
    found = [f"SQLite {sqlite3.sqlite_version}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        what = f"Missing: {', '.join(missing)}"
        return Finding("packages", "failed", what, "Install iaiflow-lab again")
    return Finding("packages", "ok", ", ".join(found))


def _settings(workspace: Path) -> Finding:
    try:
        settings = load_settings(workspace)
    except LabError as error:
        return _refused("settings", error)
    shown = f"durability {settings.durability}, lease {settings.lease_s:g} s"
    return Finding("settings", "ok", f"{shown}, {settings.max_attempts} attempts")


def _store(workspace: Path) -> Finding:
    """Open the workspace's store, which refuses network disks and folders it cannot write."""
    folder = state_dir(workspace)
    is_new = not folder.exists()
    if is_new and os.access(folder.parent, os.W_OK) and not network_filesystem(folder.parent):
        return Finding("workspace", "ok", f"{workspace} (new; {folder} will be made)")
    try:
        queue.connect(str(workspace))
    except LabError as error:
        return _refused("workspace", error)
    return Finding("workspace", "ok", f"{workspace}, state in {folder}")


def _room(workspace: Path) -> Finding:
    """Say how much disk and memory is left, and whether it is enough for queued runs."""
    folder, world = state_dir(workspace), real_world()
    folder = folder if folder.exists() else workspace
    free, memory = world.machine.free_disk(folder), world.machine.free_memory()
    found = f"{free / 1024**3:,.1f} GB of disk free, {memory / 1024**3:,.1f} GB of memory"
    try:
        shortage = Room(folder, load_settings(workspace), world).shortage()
    except LabError:
        return Finding("room", "warning", f"{found}; the settings cannot be read")
    if shortage is not None:
        remedy = "Free some: `iaiflow storage` says what the workspace takes"
        return Finding("room", "failed", shortage.message, remedy)
    if free < _LITTLE:
        return Finding("room", "warning", found, "Free some space soon")
    return Finding("room", "ok", found)


def _server(workspace: Path) -> Finding:
    """Say which process serves the workspace, and which fires its schedules."""
    if not state_dir(workspace).exists():
        return Finding("server", "ok", "Nothing serves this workspace.")
    try:
        with open_session(workspace) as session:
            notes = servers.serving_note(session), servers.firing_note(session)
    except LabError as error:
        return _refused("server", error)
    return Finding("server", "ok", " ".join(notes))


def _secrets(workspace: Path) -> Finding:
    """Say where the key of the workspace's secrets is kept."""
    if not state_dir(workspace).exists():
        return Finding("secrets", "ok", "There are none.")
    try:
        with open_session(workspace) as session:
            count, place = len(secret_checks.names(session)), secrets.place(session)
    except LabError as error:
        return _refused("secrets", error)
    if place is None:
        return Finding("secrets", "ok", "There are none.")
    return Finding("secrets", "ok", f"{count}; their key is {place}")


def _kernels() -> Finding:
    from iaiflow_lab.notebook.kernels import InstalledKernels

    names = InstalledKernels().names
    if not names:
        remedy = "Run `python -m ipykernel install --sys-prefix`"
        return Finding("kernels", "failed", "No Jupyter kernel is installed", remedy)
    return Finding("kernels", "ok", ", ".join(names))


def _warm_kernels(workspace: Path) -> Finding:
    """Say whether notebooks take kernels that are ready, or why each kernel is started anew."""
    from iaiflow_lab.notebook import warm_kernels

    check = "warm kernels"
    if reason := warm_kernels.why_impossible():
        return Finding(check, "ok", f"Off: {reason} Kernels start cold")
    try:
        if not load_settings(workspace).warm_kernels:
            return Finding(check, "ok", "Off by warm_kernels = 0: kernels start cold")
    except LabError:
        return Finding(check, "warning", "Unknown: the settings cannot be read")
    if reason := warm_kernels.why_default_is_other():
        return Finding(check, "ok", f"Off: {reason} Kernels start cold")
    server = warm_kernels.find_server()
    if not server:
        remedy = "Run `iaiflow worker`, which starts it"
        return Finding(check, "ok", "No fork server is running here: kernels start cold", remedy)
    try:
        return _served(check, warm_kernels.ask_state(server))
    except warm_kernels.ColdError as error:
        return Finding(check, "warning", f"{error} Kernels start cold", "Restart the worker")


def _isolation(workspace: Path) -> Finding:
    """Say what shuts in the code that agents write."""
    from iaiflow_lab.safe.jail import isolation

    if (kind := isolation()) != "none":
        return Finding("isolation", "ok", f"{kind.capitalize()} shuts in code that agents write")
    try:
        is_allowed = load_settings(workspace).tools.get("python", {}).get("allow_unsafe") is True
    except LabError:
        is_allowed = False
    does = "runs with all rights of this user" if is_allowed else "is refused"
    return Finding(
        "isolation",
        "warning",
        f"Nothing here shuts in code that agents write; it {does}",
        "Install bubblewrap",
    )


def _served(check: str, state: dict[str, Any]) -> Finding:
    found = f"{state['ready']} ready, {state['taken']} in use (process {state['pid']})"
    for name in state["late_imports"]:
        found += f"; {name} starts threads, so each kernel imports it itself"
    refused: dict[str, str] = state["refused_imports"]
    if refused:
        wrong = "; ".join(f"{name}: {what}" for name, what in refused.items())
        return Finding(check, "warning", f"{found}; not imported: {wrong}", "Mend warm_imports")
    return Finding(check, "ok", found)


def _refused(check: str, error: LabError) -> Finding:
    place = f" ({error.where})" if error.where else ""
    return Finding(check, "failed", f"{error.what}{place}", error.remedy)
