"""Types that msgspec reads are known to it before several threads read at once."""

from __future__ import annotations

import subprocess
import sys

#: Makes the types of scripts anew, has them read by several threads at once, and again.
PROGRAM = """
import importlib, sys, threading
from iaiflow_agents.models import scripted

sys.setswitchinterval(1e-6)

def use():
    gate.wait()
    scripted.read_script([{"when": {"contains": "a"}, "calls": [{"tool": "sql"}]}])

for _ in range(50):
    scripted = importlib.reload(scripted)
    gate = threading.Barrier(6)
    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_several_threads_may_read_their_first_script_at_once():
    """A map over agents does so; msgspec crashed, and the kernel with it."""
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True)
