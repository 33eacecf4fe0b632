"""How a worker process listens to signals, and what its children inherit."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import subprocess, sys
from iaiflow_lab.worker.stop import Stop, listen

listen(Stop())
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_what_a_worker_starts_can_be_interrupted():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
