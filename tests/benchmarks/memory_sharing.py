"""How long it takes until a memory goes on after its owner was killed, and what the way costs.

    python -m tests.benchmarks.memory_sharing [--takeovers 50] [--memories 2000]

An owner is killed (SIGKILL) while a client is connected; measured is the time until the client's
next write is on disk: the end is noticed, another owner started, the log replayed, the write done.
Calls are measured in the owner's own process, through its socket and over HTTP. The last line is
one JSON object; times are in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from time import perf_counter, sleep

import uvicorn

from iaiflow_memory import Memory, New
from iaiflow_memory.http import app_for
from iaiflow_memory.lock import announced, is_owned

_TOKEN = "a token for a benchmark"


def fill(memory: Memory, count: int) -> None:
    """Add made-up memories."""
    for start in range(0, count, 500):
        numbers = range(start, min(count, start + 500))
        memory.add([New(f"item {n} has colour {n * 7919 % 1013}", once=False) for n in numbers])


def spread(times: list[float]) -> dict[str, float]:
    """Return what times (seconds) look like, in milliseconds."""
    cuts = quantiles(times, n=100, method="inclusive")
    return {
        "p50": round(1_000 * cuts[49], 1),
        "p99": round(1_000 * cuts[98], 1),
        "max": round(1_000 * max(times), 1),
    }


def timed(action: Callable[[int], object], repeats: int) -> list[float]:
    """Return how long each call takes, in seconds."""
    times: list[float] = []
    for number in range(repeats):
        start = perf_counter()
        action(number)
        times.append(perf_counter() - start)
    return times


def takeovers(folder: Path, count: int, memories: int) -> dict[str, float]:
    """Kill owners; return how long it took each time until a write was on disk again."""
    path = folder / "takeovers.duckdb"
    with Memory(path) as memory:
        fill(memory, memories)

        def kill_and_write(number: int) -> None:
            os.kill(announced(path)[0].pid, signal.SIGKILL)
            memory.add(f"after end {number}", once=False)

        times = timed(kill_and_write, count)
        assert memory.stats().memories == memories + count
    _end(path)
    return spread(times)


def calls(folder: Path, repeats: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return how long writes and reads take behind each door."""
    with Memory(folder / "hosted.duckdb", serve=True) as host:
        found = {"in the process": both(host, repeats)}
        with served(host) as address, Memory(address, token=_TOKEN) as remote:
            found["http"] = both(remote, repeats)
    path = folder / "owned.duckdb"
    with Memory(path) as client:
        found["socket"] = both(client, repeats)
    _end(path)
    return found


def both(memory: Memory, repeats: int) -> dict[str, dict[str, float]]:
    """Return how long writes and reads take."""
    last = memory.add("to be read", once=False)
    return {
        "add": spread(timed(lambda n: memory.add(f"fact {n} is {n * n}", once=False), repeats)),
        "get": spread(timed(lambda _: memory.get(last.id), repeats)),
    }


@contextmanager
def served(memory: Memory) -> Iterator[str]:
    """Serve a memory over HTTP on this machine; yield the address."""
    server = uvicorn.Server(uvicorn.Config(app_for(memory.door, _TOKEN), log_level="error"))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))  # asyncio sends at once only where the protocol is named
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def _end(path: Path) -> None:
    while is_owned(path):
        os.kill(announced(path)[0].pid, signal.SIGTERM)
        sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takeovers", type=int, default=50, help="how many owners are killed")
    parser.add_argument("--memories", type=int, default=2_000, help="in the file meanwhile")
    parser.add_argument("--repeats", type=int, default=200, help="calls of each kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken = takeovers(Path(folder), asked.takeovers, asked.memories)
        print(f"takeover: {taken}", flush=True)
        doors = calls(Path(folder), asked.repeats)
    for door, times in doors.items():
        print(f"{door}: {times}", flush=True)
    print(json.dumps({"takeover_ms": taken, "calls_ms": doors}))


if __name__ == "__main__":
    main()
