"""Notebooks of a crew whose workers, fork server or supervisor are killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.notebook import warm_kernels
from iaiflow_lab.service import runs

pytestmark = [
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.skipif(bool(warm_kernels.why_impossible()), reason="nothing can be forked here"),
]

#: Says which processes it is made of, at its first attempt, and holds the interpreter.
HELD = """
import os, re, subprocess
child = subprocess.Popen(["sleep", "600"])
first = not os.path.exists("pids")
with open("pids.part", "w") as out:
    out.write(f"{os.getpid()} {child.pid}")
os.replace("pids.part", "pids")
if first:
    re.match("(a+)+$", "a" * 60 + "b")
"""


@pytest.fixture
def crew(make_site):
    """Return a workspace with a notebook, and a crew whose fork server is up."""
    site = make_site(lease_s=600.0, max_attempts=50)  # no beat of a busy machine is too late
    write(site.folder / "held.ipynb", HELD)
    write(site.folder / "quick.ipynb", "1 + 1")
    process = site.command("worker")
    address = site.folder / ".iaiflow" / warm_kernels.ADDRESS
    site.until(address.exists, "The fork server's address")
    site.until(lambda: state(site).get("ready"), "A kernel")
    return site, process


def write(path: Path, source: str) -> None:
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": source}
    cell |= {"outputs": [], "execution_count": None}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    path.write_text(json.dumps(content))


def state(site) -> dict:
    try:
        address = (site.folder / ".iaiflow" / warm_kernels.ADDRESS).read_text()
        return warm_kernels.ask_state(address)
    except (OSError, warm_kernels.ColdError):
        return {}


def start(site, name: str) -> str:
    return runs.start(site.session, name, {}, site.types)


def await_pids(site, run_id: str) -> list[psutil.Process]:
    def begun() -> bool:
        assert site.state(run_id) not in TERMINAL, site.run(run_id).error
        return (site.folder / "pids").exists()

    site.until(begun, "The cell")
    return [psutil.Process(int(pid)) for pid in (site.folder / "pids").read_text().split()]


def test_a_killed_workers_kernel_ends_and_its_run_goes_on(crew):
    site, _ = crew
    run_id = start(site, "held.ipynb")
    kernel, child = await_pids(site, run_id)
    server = site.until(lambda: state(site).get("pid"), "An answer")
    assert kernel.ppid() == server, "it was forked"
    holder = site.holder(run_id)
    assert holder is not None
    os.kill(holder, signal.SIGKILL)
    site.until(lambda: not is_alive(kernel) and not is_alive(child), "The end of the kernel")
    assert site.ended(run_id).state is RunState.COMPLETED


def test_a_killed_fork_server_costs_no_run(crew):
    site, _ = crew
    for _ in range(3):
        before = site.until(lambda: state(site).get("pid"), "An answer")
        os.kill(before, signal.SIGKILL)
        assert site.ended(start(site, "quick.ipynb")).state is RunState.COMPLETED
        assert site.ended(start(site, "quick.ipynb")).state is RunState.COMPLETED
        site.until(lambda old=before: state(site).get("pid", old) != old, "Another fork server")


def test_nothing_outlives_a_killed_supervisor(crew):
    site, supervisor = crew
    run_id = start(site, "held.ipynb")
    family = psutil.Process(supervisor.pid).children(recursive=True)
    family += await_pids(site, run_id)
    supervisor.kill()
    site.until(lambda: not any(map(is_alive, family)), "The end of every process")


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
