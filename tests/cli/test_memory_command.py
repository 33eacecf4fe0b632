"""`iaiflow memory` and `Lab().memory`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from iaiflow_lab import Lab
from iaiflow_lab.cli.memory import TOKEN
from iaiflow_memory import Memory
from iaiflow_memory.lock import announced, is_owned


@pytest.fixture
def memory(workspace, command_line, monkeypatch):
    """Return `memory(...)`: `iaiflow memory` in this process, in a workspace of its own."""
    (workspace / ".iaiflow").mkdir()
    sockets = tempfile.mkdtemp(prefix="iai-")
    monkeypatch.setenv("XDG_RUNTIME_DIR", sockets)
    yield lambda *arguments: command_line("memory", *arguments)
    shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture
def told(memory) -> str:
    """Return the id of a memory."""
    said = memory("add", "Anna flies to Hanoi on Monday", "--role", "user", "--user", "anna")
    assert said.status == 0, said.err
    return said.out.strip()


def test_what_was_added_is_found_and_explained(memory, told):
    (found,) = memory("search", "When does Anna fly?", "--json", "--explain").data
    assert found["item"]["id"] == told
    assert found["item"]["valid_to"] is None
    assert "anna" in found["why"]
    assert told in memory("search", "Hanoi").out
    assert "shares words" in memory("search", "Hanoi", "--explain").out
    assert memory("search", "submarine", "--explain").out == ""
    assert memory("search", "Hanoi", "--user", "bert", "--json").data == []
    assert memory("search", "Hanoi", "--until", "2020-01-01", "--json").data == []
    assert "there already" in memory("add", "Anna flies to Hanoi on Monday").out


def test_a_memory_is_corrected_and_forgotten(memory, told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")  # an id is whole in any terminal
    assert memory("supersede", told, "Anna flies on Tuesday", "--json").data["version"] == 2
    assert "Tuesday" in memory("get", told).out
    (origin,) = memory("sources", told, "--json").data
    assert (origin["text"], origin["method"]) == ("Anna flies on Tuesday", "supersede")
    assert origin["episode"]["id"] in memory("sources", told).out
    bodies = {item["body"] for item in memory("history", told, "--json").data}
    assert bodies == {"Anna flies to Hanoi on Monday", "Anna flies on Tuesday"}
    monkeypatch.setenv("COLUMNS", "200")
    lines = [line.strip() for line in memory("history", told).out.splitlines() if "Anna" in line]
    times = {cells[0]: len(cells) - 2 for line in lines if (cells := re.split(" {2,}", line))}
    assert times == {"1": 3, "2": 2, "3": 3}  # open ends are left out
    assert memory("forget", told, "--json").data == {"id": told, "forgotten": True}
    assert "before" in memory("forget", told).out
    assert memory("search", "Anna", "--json").data == []


def test_memories_are_listed_newest_first_and_what_is_over_on_request(memory, told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    other = memory("add", "Bert stays in Hue", "--user", "bert", "--kind", "semantic").out.strip()
    assert [item["id"] for item in memory("timeline", "--json").data] == [other, told]
    assert [item["id"] for item in memory("timeline", "--limit", "1", "--json").data] == [other]
    (anna,) = memory("timeline", "--user", "anna", "--kind", "episodic", "--json").data
    assert (anna["id"], anna["valid_to"]) == (told, None)
    shown = memory("timeline").out
    assert shown.index(other) < shown.index(told)
    memory("forget", told)
    assert told not in memory("timeline").out
    assert "forgotten" not in memory("timeline").out
    ended = memory("timeline", "--ended").out
    assert told in ended
    assert ended.count("forgotten") == 1
    assert memory("timeline", "--ended", "--since", "1d", "--json").data
    nothing = memory("timeline", "--until", "2020-01-01")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "Nothing was found.\n")


def test_memories_are_text_for_a_prompt(memory, told):
    found = memory("context", "When does Anna fly?")
    assert found.out.startswith("<recalled-memories>")
    assert told in found.out
    data = memory("context", "Anna", "--budget", "500", "--limit", "1", "--json").data
    assert [hit["item"]["id"] for hit in data["hits"]] == [told]
    assert data["text"] + "\n" == found.out
    assert 0 < data["tokens"] <= 500
    nothing = memory("context", "Anna", "--user", "bert")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "Nothing was found.\n")


def test_a_change_is_taken_back(memory, told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    memory("supersede", told, "Anna flies on Tuesday")
    (origin,) = memory("sources", told, "--json").data
    batch = str(origin["batch"])
    assert batch in memory("sources", told).out.split()
    undone = memory("undo", batch, "--json").data
    assert (undone["closed"], undone["restored"]) == (2, 1)
    assert "Monday" in memory("get", told).out
    assert "nothing to take back" in memory("undo", batch).out
    assert f"`undo {undone['batch'] + 1}`" in memory("undo", str(undone["batch"])).out
    assert "Tuesday" in memory("get", told).out


def test_an_export_is_taken_in_elsewhere(memory, told, workspace):
    assert memory("export", "out", "--json").data["rows"]["episodes"] == 1
    assert memory("erase", "--user", "anna").status == 2
    assert memory("erase", "--user", "anna", "--yes", "--json").data["episodes"] == 1
    assert b"Hanoi" not in (workspace / ".iaiflow" / "memory.duckdb").read_bytes()
    assert memory("stats", "--json").data["memories"] == 0
    assert memory("import", "out").status == 0
    assert "1" in memory("stats").out
    assert memory("search", "Hanoi", "--json").data[0]["item"]["id"] == told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "x", "--kind", "vague"), "not a kind of memory"),
        (["get", "nobody"], "There is no memory 'nobody'"),
        (["add", "x", "--kind", "odd"], "odd"),
        (["add", "x", "--at", "some-day"], "is no moment"),
        (["search", "x", "--since", "yesterday"], "such as 90s, 2h or 1d, or when: 2026-12-01 or"),
        (["timeline", "--kind", "vague"], "not a kind of memory"),
        (["context", "x", "--budget", "3"], "3 tokens are too few"),
        (["undo", "77"], "There is no batch 77"),
        (["erase", "--yes"], "Nothing is named"),
        (["import", "nowhere"], "nowhere"),
        (["serve"], "IAIFLOW_MEMORY_TOKEN"),
    ],
)
def test_refusals_are_one_sentence(memory, arguments, said):
    refused = memory(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert said in refused.err
    assert refused.err.startswith("error[")
    assert refused.err.count("\n") == 1


def test_the_lab_has_the_same_memory(memory, told, workspace):
    lab = Lab(workspace)
    with lab.memory as found:
        assert found.search("Hanoi")[0].item.id == told
        assert announced(workspace / ".iaiflow" / "memory.duckdb")[0].pid != os.getpid()
        assert told in memory("search", "Hanoi").out
    _end(workspace / ".iaiflow" / "memory.duckdb")


class Toy:
    """An embedder for which all texts mean the same."""

    model_id = "toy"

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 2.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 2.0]


def test_the_workspace_names_what_finds_memories_by_meaning(memory, told, workspace, monkeypatch):
    monkeypatch.setattr("iaiflow_memory.memory._named_embedder", {"toy:x": Toy()}.__getitem__)
    (workspace / ".iaiflow" / "config.toml").write_text('[memory]\nembedder = "toy:x"')
    lab = Lab(workspace)
    with lab.memory as found:
        deadline = time.monotonic() + 60
        while found.stats().vectors != {"toy": 1}:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert found.search("Hanoi")[0].item.id == told
    assert memory("stats", "--json").data["embedder"] == "toy"
    _end(workspace / ".iaiflow" / "memory.duckdb")


def _end(database: Path) -> None:
    os.kill(announced(database)[0].pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while is_owned(database):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nobody_else_can_read_what_is_remembered(memory, workspace, monkeypatch):
    modes: list[int] = []

    def close(found: Memory) -> None:
        modes.extend(file.stat().st_mode for file in (workspace / ".iaiflow").glob("memory*"))
        closed(found)

    closed = Memory.close
    monkeypatch.setattr(Memory, "close", close)
    before = os.umask(0o022)
    try:
        assert memory("add", "Anna flies to Hanoi on Monday").status == 0
    finally:
        assert os.umask(before) == 0o022
    assert len(modes) == 3  # the file, its log and its lock
    assert not any(mode & 0o077 for mode in modes)


def test_a_memory_is_served_to_other_machines(memory, told, workspace):
    command = [sys.executable, "-m", "iaiflow_lab", "memory", "serve", "--port", "0"]
    environment = os.environ | {TOKEN: "a token that nobody guesses"}
    server = subprocess.Popen(
        command, cwd=workspace, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        said = server.stdout.readline()
        assert said.startswith("Serving the memory at http://127.0.0.1:")
        address = said.split(" at ")[1].split(";")[0]
        with Memory(address, token=environment[TOKEN]) as remote:
            assert remote.search("Hanoi")[0].item.id == told
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert not is_owned(workspace / ".iaiflow" / "memory.duckdb")
