"""A disk that is really full: runs wait or end with the reason, and go on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fault,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small disk"
    ),
]

FILLING = """
import errno
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


def fill(path):
    for size in (65_536, 512):
        try:
            with open(path, "ab", buffering=0) as file:
                while True:
                    file.write(bytes(size))
        except OSError as error:
            assert error.errno == errno.ENOSPC


@node("full.fill", effects="read")
def fill_up(ctx: Context) -> bytes:
    fill(ctx.workspace / "filler")
    ctx.log("it is full")
    return bytes(100_000)


@node("full.once", effects="read")
def once(ctx: Context) -> bytes:
    mark = ctx.workspace / "once"
    if not mark.exists():
        mark.touch()
        (ctx.workspace / ".iaiflow" / "ballast").unlink()
        fill(ctx.workspace / "filler")
    return bytes(100_000)
"""
DISK = 64_000_000


@pytest.fixture
def site(make_site, workspace) -> Iterator:
    """Return a workspace on a small disk of its own."""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(workspace)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    os.chdir(workspace)  # into the new disk
    try:
        site = make_site(min_free_disk_mb=20, min_free_memory_mb=0, warm_kernels=0)
        (workspace / "flow_nodes" / "full.py").write_text(FILLING)
        site.types = load_catalog(workspace)
        yield site
        site.close()
    finally:
        os.chdir("/")
        subprocess.run(["umount", "-l", str(workspace)], check=True)


def free_but(site, leave: int) -> Path:
    """Take all the space that is free on the disk, but for some."""
    path = site.folder / "filler"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(site.folder).free - leave)
    return path


def test_queued_runs_begin_when_there_is_room(site):
    filler = free_but(site, 5_000_000)
    run_id = site.start_node("probe.step")
    site.command("worker")
    nearly = "The disk is nearly full: 5 MB free"
    site.until(lambda: site.run(run_id).reason.startswith(nearly), "The reason")
    filler.unlink()
    assert site.ended(run_id).state is RunState.COMPLETED
    site.until(lambda: site.session.store.ballast.is_held, "The ballast")


def test_a_run_that_fills_the_disk_is_recorded_in_the_room_of_the_ballast(site):
    ballast = site.session.store.ballast
    site.command("worker")
    site.until(lambda: ballast.is_held, "The ballast")
    run_id = site.start_node("full.fill")
    assert site.ended(run_id).state in {RunState.COMPLETED, RunState.FAILED}
    assert [line.text for _, line in history.logs(site.session, run_id)] == ["it is full"]
    site.until(lambda: not ballast.is_held, "The room of the ballast")
    waiting = site.start_node("probe.step")
    nearly = "The disk is nearly full"
    site.until(lambda: site.run(waiting).reason.startswith(nearly), "The reason")
    (site.folder / "filler").unlink()
    assert site.ended(waiting).state is RunState.COMPLETED
    site.until(lambda: ballast.is_held, "The ballast again")


def test_a_run_that_cannot_be_recorded_goes_on_when_there_is_room(site, is_gone):
    site.command("worker")
    site.until(lambda: site.session.store.ballast.is_held, "The ballast")
    run_id = site.start_node("full.once")
    holder = site.until(lambda: site.holder(run_id), "A claim")
    site.until(lambda: is_gone(holder), "The end of a worker that cannot record")
    assert site.run(run_id).state is RunState.RUNNING, "what is recorded can be looked at"
    (site.folder / "filler").unlink()
    found = site.ended(run_id)
    assert (found.state, found.attempt) == (RunState.COMPLETED, 2)
    assert "the disk was full" in found.attempt_reason
    site.check_promise(run_id)
