"""How long a new process needs: to import the package, and to its first recorded run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import Row

_IMPORT = """
from time import perf_counter
started = perf_counter()
import iaiflow_lab
print(perf_counter() - started)
"""

_FIRST_RUN = """
from time import perf_counter
started = perf_counter()
from pathlib import Path
from iaiflow_lab import Flow, node

@node
def one() -> int:
    return 1

@node
async def plus(value: int) -> int:
    return value + 1

with Flow("first") as flow:
    plus(one())
result = flow.run()
assert result.state == "completed", result
took = perf_counter() - started
status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's memory
print()
print(took, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def measure(repeats: int = 5) -> list[Row]:
    """Return the rows of new processes; medians of `repeats`."""
    imports = [_answer(_IMPORT)[0] for _ in range(repeats)]
    first = [_answer(_FIRST_RUN) for _ in range(repeats)]
    return [
        Row("import iaiflow_lab", statistics.median(imports), "s", 0.3),
        Row(
            "first recorded run in a new process", statistics.median(f[0] for f in first), "s", 0.8
        ),
        Row("peak memory of that process", statistics.median(f[1] for f in first), "MB", 90),
    ]


def _answer(code: str) -> list[float]:
    """Run `code` in a new process and an empty workspace; return the numbers of its last line."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".iaiflow").mkdir()
        script = Path(folder) / "bench.py"
        script.write_text(code)
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, cwd=folder, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    return [float(number) for number in done.stdout.splitlines()[-1].split()]
