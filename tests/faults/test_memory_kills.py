"""Owners and clients of a memory that are killed: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from iaiflow_memory import Full, Memory
from iaiflow_memory.engine import Engine
from iaiflow_memory.files import Files
from iaiflow_memory.lock import OwnerLock, announced, is_owned, take
from iaiflow_memory.model import Drawn, Episode, Item, New, Scope

pytestmark = [pytest.mark.slow, pytest.mark.fault]

#: How long a state is waited for, in seconds.
PATIENCE = 120.0
WRITER = """
import os, sys
from iaiflow_memory import Memory
place, name, done = sys.argv[1:]
noted = os.open(done, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
memory = Memory(place, agent=name)
for number in range(1_000_000):
    told = memory.add(f"{name} wrote {number}", id=f"{name}-{number}", once=False)
    assert told.id == f"{name}-{number}", told
    os.write(noted, f"{told.id}\\n".encode())
"""
OWNER = """
import os, sys
from pathlib import Path
from iaiflow_memory.desk import Desk
from iaiflow_memory.engine import Engine
from iaiflow_memory.lock import take
from iaiflow_memory.owner import Owner
place, point = sys.argv[1:]

def fault(reached):
    if reached == point:
        os._exit(9)

owner = Owner(Desk(Engine(place, faults=fault)), take(Path(place)))
print("ready", flush=True)
owner.run()
"""


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = Path(tempfile.mkdtemp(prefix="iai-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    found = tmp_path / "memory.duckdb"
    yield found
    _end_owner(found)


def _until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


def _end_owner(place: Path) -> None:
    while is_owned(place):
        _kill_owner(place)
        time.sleep(0.01)


def _kill_owner(place: Path) -> bool:
    """Kill whoever owns the file now; say whether there was somebody."""
    pid = announced(place)[0].pid
    if not is_owned(place) or not pid:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


class Writers:
    """Processes that write as fast as they can, and note what was acknowledged."""

    def __init__(self, place: Path, code: str = WRITER) -> None:
        self._place = place
        self._code = code
        self._count = 0
        self.done = place.with_name("acknowledged")
        self.done.touch()
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._count += 1
        command = [sys.executable, "-c", self._code, str(self._place), f"w{self._count}"]
        self.running.append(subprocess.Popen([*command, str(self.done)]))

    def kill(self, chosen: subprocess.Popen[bytes]) -> None:
        assert chosen.poll() is None, "a writer failed"
        self.running.remove(chosen)
        chosen.kill()
        chosen.wait()

    def acknowledged(self) -> list[str]:
        return self.done.read_text().splitlines()


def test_nothing_acknowledged_is_lost_or_doubled(
    place: Path, soak: Callable[[int, int], int]
) -> None:
    chance = Random(20261123)
    writers = Writers(place)
    for _ in range(2):
        writers.start()
    try:
        for _ in range(soak(60, 500)):
            more = chance.choice([0, 0, 1, 30])  # 0: the next may just be beginning
            size = writers.done.stat().st_size
            _until(lambda size=size, more=more: writers.done.stat().st_size >= size + more)
            if chance.random() < 0.15:
                writers.kill(chance.choice(writers.running))
                writers.start()
            else:
                _until(lambda: _kill_owner(place))
    finally:
        for writer in list(writers.running):
            writers.kill(writer)
    _check(place, writers.acknowledged())


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep out the owner that a writer may have started just before it was killed."""
    held: list[OwnerLock] = []

    def is_held() -> bool:
        held.extend(lock for lock in [take(place)] if lock)
        return bool(held)

    _until(is_held)
    try:
        yield
    finally:
        held[0].release()


def _check(place: Path, acknowledged: list[str]) -> None:
    import duckdb

    with Memory(place) as memory:  # whoever is next mends what the last one left
        count = memory.stats().memories
    os.kill(announced(place)[0].pid, signal.SIGTERM)
    with _alone(place), duckdb.connect(str(place), read_only=True) as database:
        items = [row[0] for row in database.execute("SELECT id FROM items").fetchall()]
        told = [row[0] for row in database.execute("SELECT id FROM episodes").fetchall()]
    assert len(items) == len(set(items)) == count
    assert len(told) == len(set(told)) == count
    assert set(acknowledged) <= set(items)
    assert len(acknowledged) == len(set(acknowledged))


@pytest.mark.parametrize("point", ["write.before_commit", "write.after_commit"])
def test_a_write_whose_owner_dies_is_done_once(place: Path, point: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place), point], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    with owner.stdout, Memory(place) as memory:
        told = memory.add("said once")
        assert owner.wait(PATIENCE) == 9
        assert len(memory.history(told.id)) == 1
        assert memory.stats().memories == 1


@pytest.mark.parametrize("point", ["write.before_commit", "write.after_commit"])
def test_a_change_of_what_was_read_whose_owner_dies_is_made_once(place: Path, point: str) -> None:
    with closing(Engine(place)) as engine:
        engine.add(Scope(), [New("said once", id="first")])
        read = engine.get("first")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place), point], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    with owner.stdout, Memory(place) as memory:
        changed = memory.supersede("first", "said otherwise", valid_from=read.valid_from, of=read)
        assert owner.wait(PATIENCE) == 9
        assert [one.body for one in memory.history("first")] == ["said once", "said otherwise"]
        assert memory.get("first") == changed


INSERTER = """
import os, sys
from iaiflow_memory import Memory
from iaiflow_memory.files import Files
place, name, done = sys.argv[1:]
noted = os.open(done, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
files = Files(Memory(place))
for number in range(1_000_000):
    files.insert("/memories/notes.txt", 0, f"{name}-{number}")
    os.write(noted, f"{name}-{number}\\n".encode())
"""


def test_no_edit_is_lost_or_doubled_when_owners_die(
    place: Path, soak: Callable[[int, int], int]
) -> None:
    with Memory(place) as memory:
        Files(memory).create("/memories/notes.txt", "")
    writers = Writers(place, INSERTER)
    for _ in range(3):
        writers.start()
    try:
        for _ in range(soak(10, 200)):
            size = writers.done.stat().st_size
            _until(lambda size=size: writers.done.stat().st_size > size)
            _until(lambda: _kill_owner(place))
    finally:
        for writer in list(writers.running):
            writers.kill(writer)
    with Memory(place) as memory:
        (file,) = memory.timeline()
    lines = [line for line in file.body.splitlines() if line]
    assert len(lines) == len(set(lines))
    assert set(writers.acknowledged()) <= set(lines)


class Rewording:
    """A model that says anew what was told first."""

    model_id = "rewording"

    def draw(self, told: Sequence[Episode], known: Sequence[Item]) -> list[Drawn]:
        return [Drawn("said otherwise", replaces=(told[0].id,))]


@pytest.mark.parametrize("point", ["write.before_commit", "write.after_commit"])
def test_a_consolidation_whose_owner_dies_is_done_once(place: Path, point: str) -> None:
    with closing(Engine(place)) as engine:
        engine.add(Scope(), [New("said once", id="first")])
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place), point], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    with owner.stdout, Memory(place) as memory:
        done = memory.consolidate(Rewording())
        assert owner.wait(PATIENCE) == 9
        assert done.replaced == ("first",)
        assert [memory.get(one).body for one in done.drawn] == ["said otherwise"]
        assert memory.stats().memories == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    _end_owner(folder / "memory.duckdb")
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(12_000_000))
    with Memory(small_disk / "memory.duckdb") as memory:
        stored: list[str] = []
        with pytest.raises(Full):
            _fill(memory, stored)
        assert stored
        ballast.unlink()
        stored.append(memory.add("there is room again").id)
        assert all(memory.get(one).id == one for one in stored)
        assert memory.stats().memories == len(stored)


def _fill(memory: Memory, stored: list[str]) -> None:
    for number in range(10_000):
        text = f"{number} {Random(number).randbytes(50_000).hex()}"
        stored.append(memory.add(text, once=False).id)
