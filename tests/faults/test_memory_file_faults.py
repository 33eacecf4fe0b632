"""Processes that die while they write a memory: nothing acknowledged is lost, nothing is torn."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from iaiflow_memory.engine import Engine
from iaiflow_memory.faults import POINTS
from iaiflow_memory.model import New, Scope

pytestmark = [pytest.mark.slow, pytest.mark.fault]

HERE = Scope(project="p", thread="t")
SECRET = "Zanzibarquokka"

#: Adds one batch after another and says so when each is there; dies at a point if asked to.
WRITER = textwrap.dedent("""
    import os, sys
    from iaiflow_memory import postings
    from iaiflow_memory.engine import Engine
    from iaiflow_memory.model import New, Scope

    path, point, arrival = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if point in ("sort.before_commit", "none"):
        postings.RUN = 40

    def faults(reached):
        global arrival
        if reached == point:
            arrival -= 1
            if arrival == 0:
                os._exit(137)

    engine = Engine(path, faults=faults)
    print("open", flush=True)
    here = Scope(project="p", thread="t")
    number = 0
    while point != "none" or number < 1_000_000:
        if point.startswith("erase") and number == 3:
            engine.erase(subject="Ann")
        if point.startswith("load") and number == 3:
            engine.export(path + ".export")
            engine.load(path + ".export")
        news = [
            New(f"batch {number} text {part} of Zanzibarquokka", id=f"{number}-{part}",
                subject="Ann" if number < 3 else "")
            for part in range(3)
        ]
        engine.add(here, news)
        if number % 2:
            engine.supersede(f"{number}-0", {"text": f"batch {number} again"})
        print(number, flush=True)
        number += 1
""")


def spawn(path: Path, point: str, arrival: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), point, str(arrival)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check_whole(path: Path, acknowledged: list[int], erased: bool = False) -> None:
    """Every acknowledged batch is there, no batch is there in part, and a retry adds nothing."""
    engine = Engine(path)
    with engine.store.read() as reader:
        rows = reader.rows("SELECT id FROM episodes WHERE body LIKE 'batch % text %'")
        stands = reader.rows(
            "SELECT id, count(*) FROM items WHERE recorded_to = 'infinity' GROUP BY id, valid_from"
        )
        postings = reader.rows("SELECT n FROM items ANTI JOIN postings USING (n)")
        twice = reader.rows("SELECT term, n FROM postings GROUP BY ALL HAVING count(*) > 1")
    told = {memory for (memory,) in rows}
    assert len(told) == len(rows)
    expected = {f"{number}-{part}" for number in acknowledged for part in range(3)}
    gone = {f"{number}-{part}" for number in range(3) for part in range(3)} if erased else set()
    assert expected - gone <= told
    assert all({f"{memory.split('-')[0]}-{part}" for part in range(3)} <= told for memory in told)
    assert all(count == 1 for _, count in stands)
    assert postings == twice == []
    for number in [number for number in acknowledged if number >= 3]:
        text = f"batch {number} text 1 of {SECRET}"
        (added,) = engine.add(HERE, [New(text, id=f"{number}-1")])
        assert added.is_new
        assert engine.get(f"{number}-1").body == text
        assert len(engine.history(f"{number}-0")) == (3 if number % 2 else 1)
    assert engine.stats().episodes >= len(told)
    engine.close()


@pytest.mark.parametrize("point", sorted(POINTS))
def test_a_process_that_dies_at_any_point_loses_nothing_it_acknowledged(tmp_path, point):
    path = tmp_path / "memory.duckdb"
    child = spawn(path, point, arrival=5 if point.startswith(("write", "sort")) else 1)
    output, errors = child.communicate(timeout=120)
    assert child.returncode == 137, errors
    acknowledged = [int(line) for line in output.split() if line != "open"]
    assert acknowledged
    check_whole(path, acknowledged, erased=point.startswith("erase"))
    if point.startswith("erase"):
        files = [file for file in tmp_path.iterdir() if file.is_file()]
        assert [file.name for file in files if "erasing" in file.name] == []
        assert all(b"batch 1 text" not in file.read_bytes() for file in files)


def test_a_process_that_is_killed_loses_nothing_it_acknowledged(tmp_path, soak):
    path = tmp_path / "memory.duckdb"
    for turn in range(soak(3, 100)):
        child = spawn(path.with_name(f"{turn}.duckdb"), "none")
        acknowledged = []
        for line in child.stdout:
            acknowledged += [] if line.strip() == "open" else [int(line)]
            if len(acknowledged) == 3 + turn % 7:
                child.send_signal(signal.SIGKILL)
                break
        acknowledged += [int(line) for line in child.communicate(timeout=60)[0].split()]
        check_whole(path.with_name(f"{turn}.duckdb"), acknowledged)


#: Writes until no more fits, says so, gets room and goes on.
FULL = textwrap.dedent("""
    import os, resource, sys
    from iaiflow_memory.engine import Engine
    from iaiflow_memory.errors import Full
    from iaiflow_memory.model import New, Scope

    path = sys.argv[1]
    engine = Engine(path)
    here = Scope(project="p", thread="t")
    engine.add(here, [New("the first", id="first")])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in __import__("pathlib").Path(path).parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, hard))
    try:
        for number in range(10_000):
            news = [New(f"{number} {part} {os.urandom(500).hex()}", id=f"{number}-{part}")
                    for part in range(20)]
            engine.add(here, news)
            print(number, flush=True)
    except Full as fault:
        print("full", fault, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    engine.add(here, [New("the last", id="last")])
    assert engine.get("first").body == "the first"
    print("done", flush=True)
    engine.close()
""")


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(tmp_path):
    path = tmp_path / "memory.duckdb"
    command = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    *numbers, full, end = done.stdout.splitlines()
    assert full.startswith("full No room is left on the disk"), done.stderr
    assert end == "done", done.stderr
    engine = Engine(path)
    for number in map(int, numbers):
        assert all(engine.get(f"{number}-{part}") for part in range(20))
    assert engine.get("last").body == "the last"
    assert engine.stats().episodes == 20 * len(numbers) + 2
    engine.close()
