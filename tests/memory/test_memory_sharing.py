"""One memory behind three doors, and the process that owns its file."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory import (
    AsOf,
    BadInput,
    Busy,
    Conflict,
    Damaged,
    Memory,
    MemoryFault,
    New,
    NotFound,
    Unavailable,
    WrongSchema,
)
from iaiflow_memory import client as client_side
from iaiflow_memory import desk as owner_side
from iaiflow_memory.client import Client, start_owner
from iaiflow_memory.desk import answer
from iaiflow_memory.http import app_for
from iaiflow_memory.lock import announced, is_owned, lock_path, take
from iaiflow_memory.owner import token_path
from iaiflow_memory.place import network_filesystem, runtime_folder
from iaiflow_memory.protocol import (
    LARGEST,
    VERSION,
    Call,
    Hello,
    Refusal,
    Result,
    Welcome,
    decode,
    encode,
    receive,
    send,
)
from iaiflow_memory.verbs import ById, Nothing, Supersede

TOKEN = "a token that nobody guesses"
Until = Callable[[Callable[[], object]], None]


@contextmanager
def served(memory: Memory, *, largest: int = LARGEST) -> Iterator[str]:
    """Serve a memory over HTTP on this machine; yield the address."""
    config = uvicorn.Config(
        app_for(memory.door, TOKEN, largest=largest), log_level="error", ws="none", lifespan="on"
    )
    server = uvicorn.Server(config)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))  # asyncio sends at once only where the protocol is named
    listener.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(params=["in this process", "owner", "http"])
def memory(request: pytest.FixtureRequest, place: Path) -> Iterator[Memory]:
    """Return a memory that is reached in one of three ways."""
    if request.param == "owner":
        with Memory(place, agent="tester") as found:
            yield found
        return
    with Memory(place, agent="tester", serve=True) as found:
        if request.param == "in this process":
            yield found
            return
        with served(found) as address, Memory(address, agent="tester", token=TOKEN) as remote:
            yield remote


# What holds behind every door


def test_what_was_told_is_found_changed_and_forgotten(memory: Memory) -> None:
    told = memory.add("Anna flies to Hanoi on Monday", role="user", tags=["travel"])
    assert told.is_new
    (hit,) = memory.search("When does Anna fly?", tags=["travel"])
    assert (hit.item.id, hit.item.scope.agent) == (told.id, "tester")
    assert "anna" in memory.explain(hit)
    assert "Hanoi" in memory.context("Hanoi").text
    assert memory.supersede(told.id, "Anna flies to Hanoi on Tuesday").body.endswith("Tuesday")
    assert "Anna flies to Hanoi on Monday" in {item.body for item in memory.history(told.id)}
    assert memory.forget(told.id)
    assert not memory.search("Anna")
    assert memory.stats().memories == 0


def test_a_retry_changes_nothing(memory: Memory) -> None:
    first = memory.add("The deploy key is rotated monthly", id="mine")
    again = memory.add("The deploy key is rotated monthly", id="mine")
    assert (first.id, again.id) == ("mine", "mine")
    assert memory.stats().memories == 1


def test_a_change_of_what_was_changed_meanwhile_is_refused(memory: Memory) -> None:
    told = memory.add("Anna likes tea")
    read = memory.get(told.id)
    present = memory.supersede(told.id, "Anna likes tea and milk", of=read)
    for change in (
        lambda: memory.supersede(told.id, "Anna likes tea and honey", of=read),
        lambda: memory.forget(told.id, of=read.n),
    ):
        with pytest.raises(Conflict, match="changed meanwhile") as caught:
            change()
        assert caught.value.remedy
    with pytest.raises(BadInput):
        memory.supersede(told.id, "x", of="the last one")
    assert memory.get(told.id) == present
    assert memory.forget(told.id, of=present)


def test_a_change_that_was_made_is_answered_again(memory: Memory) -> None:
    told = memory.add("Anna likes tea")
    read = memory.get(told.id)
    asked = Supersede(told.id, {"text": "Anna likes milk"}, memory.scope, read.n, "a key")
    done = memory.door.call("supersede", asked)
    assert memory.door.call("supersede", asked) == done
    assert len(memory.history(told.id)) == 3


def test_several_are_stored_or_none(memory: Memory) -> None:
    with pytest.raises(BadInput):
        memory.add([New("good"), New("bad", confidence=7)])
    assert memory.stats().memories == 0
    assert [one.is_new for one in memory.add([New("alpha one"), New("beta two")])] == [True, True]


def test_the_past_is_read_on_both_axes(memory: Memory) -> None:
    march, may = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    told = memory.add("Bert lives in Bonn", kind="semantic", subject="Bert", valid_from=march)
    before = memory.get(told.id).recorded_from
    memory.supersede(told.id, "Bert lives in Berlin", valid_from=may)
    assert memory.get(told.id).body == "Bert lives in Berlin"
    april = datetime(2026, 4, 1, tzinfo=UTC)
    assert memory.get(told.id, AsOf(valid=april)).body == "Bert lives in Bonn"
    past = memory.as_of(before)
    assert past.get(told.id).body == "Bert lives in Bonn"
    assert past.search("Bert")[0].item.body == "Bert lives in Bonn"


def test_scopes_keep_apart(memory: Memory) -> None:
    memory.scoped(user="anna").add("likes tea")
    memory.scoped(user="bert").add("likes coffee")
    found = memory.scoped(user="anna").search("likes")
    assert [hit.item.body for hit in found] == ["likes tea"]
    assert len(memory.search("likes")) == 2


def test_what_is_of_others_is_neither_read_nor_changed_by_its_id(memory: Memory) -> None:
    bert = memory.scoped(user="bert")
    told = bert.add("likes coffee")
    present = bert.supersede(told.id, "likes tea")
    for scope in ({"user": "anna"}, {"user": "bert", "thread": "another"}, {"project": "p"}):
        other = memory.scoped(**scope)
        for ask in (
            lambda other=other: other.get(told.id),
            lambda other=other: other.get(told.id, present.recorded_from),
            lambda other=other: other.as_of(present.recorded_from).get(told.id),
            lambda other=other: other.history(told.id),
            lambda other=other: other.sources(told.id),
            lambda other=other: other.supersede(told.id, "likes nothing"),
            lambda other=other: other.forget(told.id),
            lambda other=other: other.undo(told.batch),
            lambda other=other: other.door.call("episode", ById(present.episode_id, other.scope)),
        ):
            with pytest.raises(NotFound) as caught:
                ask()
            assert "scope" in str(caught.value) or "There is no" in str(caught.value)
        assert not other.erase(id=told.id).items
    assert bert.get(told.id).body == "likes tea"
    assert len(bert.history(told.id)) == 3
    assert memory.get(told.id).body == "likes tea"  # the whole holds its parts
    assert memory.forget(told.id)
    with pytest.raises(NotFound, match="forgotten"):
        bert.supersede(told.id, "likes water")


def test_nobody_erases_beyond_the_own_scope(memory: Memory) -> None:
    anna, bert = (memory.scoped(user=name) for name in ("anna", "bert"))
    bert.add("likes coffee", subject="drinks")
    with pytest.raises(BadInput, match="'anna', and has nothing of 'bert'"):
        anna.erase(user="bert")
    assert not anna.erase(subject="drinks").items
    assert bert.erase(user="bert", subject="drinks").items == 1


def test_a_memory_names_what_it_comes_from(memory: Memory) -> None:
    anna = memory.scoped(user="anna")
    first = anna.add("likes tea", role="user")
    again = anna.add("likes tea", role="user")
    assert again.same_as == first.id
    assert [(one.text, one.method) for one in anna.sources(first.id)] == [
        ("likes tea", "verbatim"),
        ("likes tea", "same"),
    ]
    before = anna.get(first.id)
    present = anna.supersede(first.id, "likes green tea")
    (origin,) = anna.sources(first.id)
    assert (origin.text, origin.method, origin.model) == ("likes green tea", "supersede", "")
    assert origin.episode.id == present.episode_id
    assert [one.method for one in anna.sources(first.id, AsOf(valid=before.valid_from))]


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda memory: memory.get("nobody"), NotFound),
        (lambda memory: memory.forget("nobody"), NotFound),
        (lambda memory: memory.add("x", colour="red"), BadInput),
        (lambda memory: memory.add("x", value=object()), BadInput),
        (lambda memory: memory.add(["a text alone"]), BadInput),
        (lambda memory: memory.add(5), BadInput),
        (lambda memory: memory.search(None), BadInput),
        (lambda memory: memory.search("x", limit=0), BadInput),
        (lambda memory: memory.search("x", kinds=["vague"]), BadInput),
        (lambda memory: memory.search("x", colour="red"), BadInput),
        (lambda memory: memory.search("x", tags=5), BadInput),
        (lambda memory: memory.search("x", subject=5), BadInput),
        (lambda memory: memory.get(5), BadInput),
        (lambda memory: memory.forget(None), BadInput),
        (lambda memory: memory.timeline(limit="x"), BadInput),
        (lambda memory: memory.fade(half_life="x"), BadInput),
        (lambda memory: memory.erase(id=5), BadInput),
        (lambda memory: memory.erase(), BadInput),
        (lambda memory: memory.context("x", budget=1), BadInput),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    memory: Memory, ask: Callable[[Memory], object], kind: type[MemoryFault]
) -> None:
    memory.add("something")
    with pytest.raises(kind) as caught:
        ask(memory)
    assert "defect" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert memory.search("something")


def test_a_memory_says_which_it_is(memory: Memory) -> None:
    assert repr(memory) == f"Memory({memory.place!r}, agent='tester')"
    assert repr(memory.scoped(agent="", user="ann")) == f"Memory({memory.place!r}, user='ann')"


def test_one_kind_or_label_is_given_as_it_is(memory: Memory) -> None:
    memory.add("likes tea", tags="taste", kind="semantic")
    assert memory.search("tea", tags="taste", kinds="semantic")
    assert memory.timeline(tags="taste", kinds="semantic")


def test_a_counter_of_tokens_is_the_callers(memory: Memory) -> None:
    memory.add("The meeting is at noon")
    made = memory.context("meeting", budget=1_000, count=len)
    assert made.tokens == len(made.text)
    assert not memory.add("The meeting is at noon").is_new


def test_many_threads_share_a_memory(memory: Memory) -> None:
    def add(number: int) -> bool:
        return memory.add(f"Ticket {number} is about item {number * 7919}").is_new

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(add, range(24)))
    assert memory.stats().memories == 24


class Letters:
    """Embeds a text by how often it has each letter."""

    model_id = "letters"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [text.count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"]


def test_vectors_are_made_by_the_client_and_kept_by_the_owner(place: Path) -> None:
    with Memory(place, embedder=Letters()) as memory:
        told = [memory.add(text).id for text in ("zzz zz", "aaa aa", "mmm mm")]
        assert memory._embedding is not None
        assert memory._embedding.wait(60)
        assert memory.stats().vectors == {"letters": 3}
        (hit,) = memory.search("azza zzzz", limit=1)
        assert hit.item.id == told[0]
        assert hit.parts["meaning"] > 0


# Who owns the file


def test_an_opener_is_never_the_owner(place: Path) -> None:
    with Memory(place) as memory:
        memory.add("hello")
        pid = announced(place)[0].pid
        assert pid != os.getpid()
        assert is_owned(place)
        with Memory(place) as other:
            assert other.search("hello")
            assert announced(place)[0].pid == pid
    assert place.stat().st_mode & 0o077 == 0


def test_a_program_may_own_it_and_serve_others(place: Path) -> None:
    with (
        Memory(place, serve=True) as host,
        Memory(place) as guest,
        Memory(place, serve=True) as too,
    ):
        host.add("told by the host")
        guest.add("told by a guest")
        too.add("told by one who came later")
        assert {len(one.search("told")) for one in (host, guest, too)} == {3}
        assert announced(place)[0].pid == os.getpid()
    assert not is_owned(place)


def test_the_next_takes_over(place: Path) -> None:
    with Memory(place) as memory:
        memory.add("before the end")
        for number in range(3):
            first = announced(place)[0].pid
            os.kill(first, signal.SIGKILL)
            memory.add(f"after end {number}")
            assert announced(place)[0].pid != first
        assert memory.stats().memories == 4


def test_an_owner_told_to_end_lets_others_go_on(place: Path, until: Until) -> None:
    with Memory(place) as memory:
        memory.add("one")
        first = announced(place)[0].pid
        os.kill(first, signal.SIGTERM)
        until(lambda: announced(place)[0].pid != first or not is_owned(place))
        assert memory.search("one")


def test_an_owner_ends_when_nobody_is_there(
    place: Path, until: Until, monkeypatch: pytest.MonkeyPatch, private_runtime: Path
) -> None:
    monkeypatch.setenv("IAIFLOW_MEMORY_IDLE", "1")
    with Memory(place) as memory:
        memory.add("one")
    until(lambda: not is_owned(place))
    assert not list(private_runtime.glob("*/*.sock"))
    assert not place.with_name(f"{place.name}.wal").exists()
    with Memory(place) as memory:
        assert memory.search("one")


def _runs(pid: int) -> bool:
    """Say whether a process is there, and not only its number because nobody asked for its end."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_an_owner_ends_when_its_file_is_gone(tmp_path: Path, place: Path, until: Until) -> None:
    folder = tmp_path / "project"
    with Memory(folder / "m.duckdb") as memory:
        memory.add("one")
        pid = announced(folder / "m.duckdb")[0].pid
        shutil.rmtree(folder)
        until(lambda: not _runs(pid))
        memory.add("two")
        assert memory.stats().memories == 1


def test_a_copied_folder_is_another_memory(tmp_path: Path, place: Path) -> None:
    first, second = tmp_path / "first" / "m.duckdb", tmp_path / "second" / "m.duckdb"
    with Memory(first) as one:
        one.add("in both")
        shutil.copytree(first.parent, second.parent)
        with Memory(second) as two:
            two.add("the copy alone")
            one.add("the original alone")
            assert {hit.item.body for hit in two.search("")} == {"in both", "the copy alone"}
            assert {hit.item.body for hit in one.search("")} == {"in both", "the original alone"}
            assert announced(first)[0].pid != announced(second)[0].pid


@pytest.mark.parametrize("said", ["", "[]", "{", '{"pid": 1, "host": "x", "socket": "/nowhere"}'])
def test_what_a_killed_owner_left_hinders_nobody(place: Path, said: str, until: Until) -> None:
    with Memory(place) as memory:
        memory.add("one")
        found = announced(place)[0]
        os.kill(found.pid, signal.SIGKILL)
        until(lambda: not is_owned(place))
        where = Path(found.socket)
        assert where.is_socket()
        assert token_path(where).stat().st_mode & 0o777 == 0o600
        if said:
            lock_path(place).write_text(said)
    with Memory(place) as memory:
        assert memory.search("one")


def test_a_forked_child_has_connections_of_its_own(place: Path) -> None:
    code = """
import os, sys
from iaiflow_memory import Memory
memory = Memory(sys.argv[1])
memory.add("by the parent")
child = os.fork()
if child == 0:
    memory.add("by the child")
    os._exit(0)
memory.add("by the parent again")
assert os.waitpid(child, 0)[1] == 0
print(memory.stats().memories)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


def test_a_forked_child_that_closes_ends_nothing_of_its_parent(place: Path) -> None:
    code = """
import os, sys
from iaiflow_memory import Memory
with Memory(sys.argv[1], serve=True) as memory:
    memory.add("by the host")
    child = os.fork()
    if child == 0:
        memory.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with Memory(sys.argv[1]) as guest:
        guest.add("by a guest")
        print(guest.stats().memories)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2"


def test_importing_brings_in_nothing_heavy() -> None:
    heavy = ["duckdb", "numpy", "onnxruntime", "msgspec", "uvicorn", "langgraph"]
    code = (
        "import sys; from iaiflow_memory import Memory, Stats, MemoryFault; "
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Who is refused


def _greeted(database: Path, **other: object) -> object:
    """Return what an owner answers to a greeting that is right but for what is given."""
    found, identity = announced(database)
    hello = {"version": VERSION, "token": token_path(Path(found.socket)).read_text()}
    hello = {**hello, "place": identity, **other}
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(found.socket)
        send(line, encode(Hello(**hello)))
        return decode(receive(line))


def test_an_owner_refuses_strangers(place: Path) -> None:
    with Memory(place) as memory:
        memory.add("one")
        assert isinstance(_greeted(place), Welcome)
        for wrong in ({"token": "guessed"}, {"token": "đ"}, {"place": "1:2"}):
            said = _greeted(place, **wrong)
            assert isinstance(said, Refusal)
            assert said.is_elsewhere


def test_a_newer_owner_tells_an_older_program(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(place, serve=True) as host:
        host.add("one")
        monkeypatch.setattr(client_side, "VERSION", VERSION - 1)
        with Memory(place) as guest, pytest.raises(Unavailable) as caught:
            guest.search("one")
    assert "Upgrade this program, and restart it" in caught.value.remedy
    assert caught.value.where == str(place)
    assert f"version {VERSION}, and this program version {VERSION - 1}" in str(caught.value)


def test_an_older_owner_tells_a_newer_program(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(place, serve=True) as host:
        host.add("one")
        monkeypatch.setattr(owner_side, "VERSION", VERSION - 1)
        with Memory(place) as guest, pytest.raises(Unavailable) as caught:
            guest.search("one")
    assert f"Upgrade its owner, process {os.getpid()}" in caught.value.remedy
    assert caught.value.where == str(place)


@pytest.mark.parametrize("theirs", [VERSION - 1, VERSION + 1])
def test_a_server_refuses_another_version_before_it_looks_at_a_call(
    place: Path, theirs: int
) -> None:
    with Memory(place, serve=True) as host:
        asked = encode(Call("forget", msgspec.Raw(encode({"memory": "x"})), theirs))
        said = decode(answer(host.door, asked, from_afar=True))
    assert isinstance(said, Refusal)
    assert "Upgrade" in said.remedy


def test_an_owner_without_threads_for_more_clients_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Threadless(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    with Memory(place, serve=True) as host, Memory(place) as guest:
        guest.add("one")
        monkeypatch.setattr("iaiflow_memory.owner.Thread", Threadless)
        with Memory(place) as late:
            with pytest.raises(Busy, match="no room"):
                late.search("one")
            monkeypatch.undo()
            assert late.search("one")
        assert guest.search("one")
        assert host.search("one")


def test_an_owner_survives_nonsense(place: Path) -> None:
    with Memory(place) as memory:
        memory.add("one")
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", struct.pack("!I", 2**31), b"\0\0\0\4abcd"):
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(announced(place)[0].socket)
                line.sendall(data)
        assert memory.search("one")


def test_what_is_too_large_is_refused_before_it_is_sent(place: Path) -> None:
    with Memory(place) as memory:
        with pytest.raises(BadInput, match="a message may have"):
            memory.add("x" * (LARGEST + 1))
        assert memory.add("small").is_new


def test_an_owner_refuses_a_frame_that_is_too_large(place: Path) -> None:
    with Memory(place) as memory:
        memory.add("one")
        found, identity = announced(place)
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(60)
            line.connect(found.socket)
            token = token_path(Path(found.socket)).read_text()
            send(line, encode(Hello(VERSION, token, identity)))
            assert isinstance(decode(receive(line)), Welcome)
            line.sendall(struct.pack("!I", LARGEST + 1))
            refusal = decode(receive(line))
        assert isinstance(refusal, Refusal)
        assert "Send less" in refusal.remedy


def test_a_folder_for_sockets_that_others_can_open_is_refused(
    place: Path, private_runtime: Path
) -> None:
    runtime_folder().chmod(0o755)
    with Memory(place) as memory, pytest.raises(Unavailable, match="not private"):
        memory.add("one")


def test_a_long_runtime_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    assert not runtime_folder().is_relative_to(folder)


def test_a_network_file_system_is_named(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/ {tmp_path} nfs4 rw 0 0\nother / ext4 rw 0 0\n")
    assert network_filesystem(tmp_path, mounts) == "nfs4"
    assert network_filesystem(Path("/"), mounts) == ""
    assert network_filesystem(tmp_path, tmp_path / "none") == ""


def test_an_owner_on_another_machine_is_named(place: Path) -> None:
    with lock_path(place).open("w") as file:
        json.dump({"pid": 7, "host": "elsewhere", "socket": "/nowhere/x.sock"}, file)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with Memory(place) as memory, pytest.raises(Unavailable, match="'elsewhere'"):
            memory.search("x")


def test_what_the_owner_before_said_is_not_taken_for_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_path(place).write_text('{"pid": 7, "host": "elsewhere", "socket": "/nowhere/x.sock"}')

    def begun(database: Path) -> bool:  # by somebody else, just now
        start_owner(database)
        return is_owned(database)

    monkeypatch.setattr("iaiflow_memory.client.is_owned", begun)
    with Memory(place) as memory:
        assert memory.stats().memories == 0


def test_an_owner_knows_no_secret_of_who_starts_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IAIFLOW_MEMORY_TOKEN", "a secret of HTTP")
    monkeypatch.setenv("MODEL_KEY", "another secret")
    given: list[dict[str, str]] = []
    run = subprocess.run

    def noted(command: list[str], **more: Any) -> Any:
        given.append(more["env"])
        return run(command, **more)

    monkeypatch.setattr("iaiflow_memory.client.subprocess.run", noted)
    with Memory(place) as memory:
        memory.add("one")
    assert given
    assert not any("secret" in value for environment in given for value in environment.values())


def test_an_owner_that_never_answers_is_named(place: Path) -> None:
    lock = take(place)
    assert lock is not None
    with closing(Client(place, patience=0.1)) as client, pytest.raises(Unavailable) as caught:
        client.call("stats", Nothing())
    assert str(os.getpid()) in str(caught.value)
    lock.release()


def test_what_ends_every_owner_is_not_asked_for_ever(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iaiflow_memory.client._LIVES", 2)
    with closing(Client(place)) as client:
        client.call("stats", Nothing())

        def kill(line: socket.socket, data: bytes) -> None:
            os.kill(announced(place)[0].pid, signal.SIGKILL)
            receive(line)

        monkeypatch.setattr("iaiflow_memory.client.send", kill)
        monkeypatch.setattr(client, "_greet", lambda *_: None)
        with pytest.raises(Unavailable, match="died 2 times"):
            client.call("stats", Nothing())


# Files that cannot be opened


def test_a_damaged_file_is_named(place: Path) -> None:
    place.write_bytes(b"this is no database" * 1_000)
    with Memory(place) as memory, pytest.raises(Damaged):
        memory.search("x")
    assert place.read_bytes().startswith(b"this is no database")


def test_a_newer_file_is_named(place: Path) -> None:
    import duckdb

    with Memory(place, serve=True) as memory:
        memory.add("one")
    with duckdb.connect(str(place)) as database:
        database.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    with Memory(place) as memory, pytest.raises(WrongSchema):
        memory.search("x")


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Memory(tmp_path / "file" / "m.duckdb") as memory, pytest.raises(Unavailable):
        memory.search("x")


# Over HTTP


@pytest.fixture
def host(place: Path) -> Iterator[Memory]:
    with Memory(place, serve=True) as found:
        yield found


def test_a_wrong_token_is_refused(host: Memory) -> None:
    with served(host) as address:
        for token in ("", "wrong", TOKEN[:-1]):
            with Memory(address, token=token) as remote, pytest.raises(Unavailable, match="token"):
                remote.search("x")


def test_files_of_the_server_are_out_of_reach(host: Memory, tmp_path: Path) -> None:
    with served(host) as address, Memory(address, token=TOKEN) as remote:
        for ask in (remote.export, remote.load):
            with pytest.raises(BadInput, match="machine"):
                ask(tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_body_that_is_too_large_is_refused(host: Memory) -> None:
    with served(host, largest=10_000) as address, Memory(address, token=TOKEN) as remote:
        with pytest.raises(Unavailable, match="10,000 bytes"):
            remote.add("x" * 20_000)
        assert remote.add("small").is_new


def test_a_server_that_is_gone_is_named(host: Memory) -> None:
    with served(host) as address:
        remote = Memory(address, token=TOKEN)
        remote.add("one")
    with remote, pytest.raises(Unavailable, match="can't be reached"):
        remote.search("one")


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org", "https://", "https://h:99999", "https://[::1"),
        *("https://anna:hush@example.org", "https://:hush@h", "https://h/?token=hush"),
        *("ftp://anna:hush@h", "HTTPS://h", "/"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        Memory(address, token=TOKEN)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", "folder"])
@pytest.mark.parametrize("serve", [True, False])
def test_a_folder_is_refused_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, serve: bool
) -> None:
    inside = tmp_path / "inside"
    (inside / "folder").mkdir(parents=True)
    monkeypatch.chdir(inside)
    with pytest.raises(BadInput, match=f"This is a folder - {inside / name}"):
        Memory(name, serve=serve)
    assert [*tmp_path.rglob("*")] == [inside, inside / "folder"]


@pytest.mark.parametrize("token", ["hush\n", "hush\r\nx: y", "hüsh"])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(BadInput) as caught:
        Memory("https://example.org", token=token)
    assert token not in str(caught.value)


def test_a_token_that_is_no_secret_is_refused(host: Memory) -> None:
    with pytest.raises(BadInput):
        app_for(host.door, "short")


# Messages


class Silent:
    """A door behind which nothing is."""

    def call(self, verb: str, arguments: object) -> object:
        raise NotFound(f"{verb} of {type(arguments).__name__}")

    def close(self) -> None:
        pass


@given(st.binary())
def test_any_bytes_are_answered(data: bytes) -> None:
    assert isinstance(decode(answer(Silent(), data)), Refusal)


nested = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.sampled_from(["add", "search", "get", "erase", "close", "do", "__class__"]), nested)
def test_any_arguments_are_answered(verb: str, arguments: object) -> None:
    said = decode(answer(Silent(), encode(Call(verb, msgspec.Raw(encode(arguments))))))
    assert isinstance(said, Refusal)
    assert said.code in {"bad-input", "not-found"}


def test_calls_of_another_version_are_refused() -> None:
    call = Call("stats", msgspec.Raw(encode(Nothing())), version=99)
    said = decode(answer(Silent(), encode(call)))
    assert isinstance(said, Refusal)
    assert "version 99" in said.what


def test_a_defect_is_said_and_ends_nothing() -> None:
    class Broken(Silent):
        def call(self, verb: str, arguments: object) -> object:
            return {}[verb]

    said = decode(answer(Broken(), encode(Call("stats", msgspec.Raw(encode(Nothing()))))))
    assert isinstance(said, Refusal)
    assert "defect" in said.remedy
    assert not isinstance(said, Result)
