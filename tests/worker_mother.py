"""A process that has imported what agents need, and forks real workers from itself.

A worker that is killed again and again would do nothing but import. As a program it takes a line
of JSON for each worker, its environment, and says the worker's pid, then its exit status.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self


class Mother:
    """The workers of one workspace, one at a time.

    Args:
        workspace: Its folder.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._pid: queue.Queue[int] = queue.Queue(1)
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._workspace)],
            cwd=self._workspace,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is not None and self._reader.is_alive():  # a test failed before its end
            os.kill(self.pid, signal.SIGKILL)
            self._reader.join(60)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def start(self, **environment: str) -> None:
        """Start a worker that ends when nothing is due."""
        self._pid = queue.Queue(1)
        self._process.stdin.write(json.dumps(environment) + "\n")
        self._process.stdin.flush()
        self._pid.put(int(self._process.stdout.readline()))
        self._ended: list[int] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        self._ended.append(int(self._process.stdout.readline()))

    @property
    def pid(self) -> int:
        """The worker's; whoever kills it may ask before it is known."""
        pid = self._pid.get(timeout=60)
        self._pid.put(pid)
        return pid

    @property
    def has_ended(self) -> bool:
        return bool(self._ended)

    def status(self) -> int:
        """Wait for the worker's end; negative: the signal that killed it."""
        self._reader.join(300)
        assert self._ended, "the worker did not end"
        return self._ended[0]


def main(workspace: str) -> None:
    import anthropic  # noqa: F401 - what workers need is imported once, here
    import langgraph.graph  # noqa: F401

    import iaiflow_agents.nodes
    import iaiflow_agents.running  # noqa: F401
    from iaiflow_lab.queue.owner import owner_name
    from iaiflow_lab.world import real_world

    ended: list[int] = []
    for line in sys.stdin:
        while ended:
            os.waitpid(ended.pop(), 0)
        theirs, ours = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            work(workspace, theirs, json.loads(line))
        os.close(theirs)
        print(pid, flush=True)
        os.write(ours, f"{owner_name('worker', real_world().ids, pid)}\n".encode())  # it may begin
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        os.close(ours)
        is_exit = end.si_code == os.CLD_EXITED
        print(end.si_status if is_exit else -end.si_status, flush=True)
        ended.append(pid)  # until the next one begins, the pid is its own: a late kill hits nobody


def work(workspace: str, lifeline: int, environment: dict[str, Any]) -> None:
    from iaiflow_lab.worker.__main__ import main as worker

    os.setsid()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    given = ["--coordinator", workspace, "--queue", "default", "--drain"]
    sys.argv = ["worker", *given, "--lifeline", str(lifeline)]
    status = 70
    try:
        status = worker()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1])
