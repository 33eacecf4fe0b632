"""One worker process; its supervisor starts it with `python -m iaiflow_lab.worker`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from threading import Thread

from iaiflow_lab import log_files, queue
from iaiflow_lab.errors import LabError
from iaiflow_lab.notebook import engine, fork_wire
from iaiflow_lab.notebook.environment import describe_environment
from iaiflow_lab.settings import find_workspace, state_dir
from iaiflow_lab.worker.duty import DISK_FULL, Duty
from iaiflow_lab.worker.family import OWNER
from iaiflow_lab.worker.lifeline import end_with_supervisor, receive_name
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop, listen
from iaiflow_lab.world import real_world


def main() -> int:
    """Work until asked to end; returns the exit status."""
    stop = Stop()
    listen(stop)
    parser = argparse.ArgumentParser(prog="iaiflow_lab.worker", description=__doc__)
    parser.add_argument("--coordinator", required=True, help="what to connect to")
    parser.add_argument("--lifeline", type=int, required=True, help="the supervisor's pipe")
    parser.add_argument("--queue", action="append", default=[], help="a queue to serve")
    parser.add_argument("--run", default="", help="the only run to execute")
    parser.add_argument("--drain", action="store_true", help="end when nothing is due")
    given = parser.parse_args()
    owner = receive_name(given.lifeline)
    if not owner:
        return 0
    end_with_supervisor(given.lifeline)
    os.environ[OWNER] = owner
    sys.path.append(str(Path.cwd()))  # last, so that no file there stands in for a module of ours
    try:
        world = real_world()
        coordinator = queue.connect(given.coordinator, world)
        log_files.start(state_dir(find_workspace()), "worker")
        duty = Duty(tuple(given.queue), given.run, given.drain)
        if os.environ.get(fork_wire.SOCKET) and not (given.run or given.drain):
            Thread(target=_prepare, name="preparation", daemon=True).start()
        return work(coordinator, world, owner, duty, stop)
    except LabError as error:
        print(f"error[{error.code}]: {error}", file=sys.stderr)  # noqa: T201
        return DISK_FULL if error.code == "disk-full" else error.exit_code


def _prepare() -> None:
    """Do beforehand, while nothing is to be done, what would delay the first notebook."""
    engine.preload()
    describe_environment(Path.cwd())


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that a run left behind must not hold the process
