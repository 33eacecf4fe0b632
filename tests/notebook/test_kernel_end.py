"""How a kernel ends: as an interpreter does, whether it was started or taken."""

from __future__ import annotations

import gzip

import pytest

from iaiflow_lab.model.event import EnvironmentRecorded
from iaiflow_lab.notebook.runner import run_notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own imports
]

#: Leaves something to be done at the end of the process, in each way that there is.
LEFT = """
import atexit, ctypes, gzip, sys, threading, time
def write(name):
    with open(name, "w") as file:
        file.write("whole")
atexit.register(write, "handler")
threading.Thread(target=lambda: (time.sleep(0.3), write("thread"))).start()
kept = open("kept", "w")
kept.write("whole")
circle = [gzip.open("circle", "wt")]
circle.append(circle)
circle[0].write("whole")
import helper
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
library.fputs(b"whole", ctypes.c_void_p(library.fopen(b"library", b"w")))
print("a last word", file=sys.__stdout__)
"""


def test_what_is_left_to_the_end_of_the_process_is_done(context, write_notebook, tmp_path, start):
    (tmp_path / "helper.py").write_text("log = open('helper', 'w')\nlog.write('whole')")
    result = run_notebook(write_notebook(LEFT), {}, context)
    facts = [event.facts for event in context.events if isinstance(event, EnvironmentRecorded)]
    assert any(fact.get("kernel_start", "").startswith(start) for fact in facts)
    for name in ("handler", "thread", "kept", "helper", "library"):
        assert (tmp_path / name).read_text() == "whole", name
    assert gzip.decompress((tmp_path / "circle").read_bytes()) == b"whole"
    log = (result.output.parent / "kernel.log").read_text()
    assert "a last word" in log + result.output.read_text()
