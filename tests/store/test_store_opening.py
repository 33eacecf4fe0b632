"""Opening a workspace's store: made new, brought up to date, or refused with a sentence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from iaiflow_lab.errors import InputError, StoreError
from iaiflow_lab.settings import Settings
from iaiflow_lab.store import database, schema, versions
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world


@pytest.fixture
def store(workspace):
    opened = Store.open(workspace, real_world())
    yield opened
    opened.close()


def tables(path):
    """Return what a database's tables and indexes are; columns that were added come last."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    found = {}
    for kind, name, sql in rows.fetchall():
        if kind == "table":
            found[name] = (
                connection.execute(f"PRAGMA table_xinfo({name})").fetchall(),
                connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                "WITHOUT ROWID" in sql,
            )
        else:
            found[name] = "".join(sql.replace('"', "").split())
    connection.close()
    return found


def test_a_new_store_ignores_itself_in_git(store, workspace):
    assert (workspace / ".iaiflow" / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in workspace.iterdir()) == [".iaiflow"]


def test_the_checked_in_schema_is_the_declared_one():
    made = "\n\n".join(f"{statement};" for statement in schema.statements())
    path = Path(schema.__file__).with_name("schema.sql")
    assert path.read_text().partition("\n\n")[2].rstrip("\n") == made


def test_migrating_from_nothing_gives_the_schema_of_a_new_store(store, tmp_path):
    from iaiflow_lab.store.migrate import migrate

    old = tmp_path / "old.db"
    migrate(old)
    assert tables(old) == tables(store.db.path)
    assert versions.revision(old) == versions.HEAD


@pytest.fixture(params=["0001", "0002", "0003", "0004"])
def older(request, workspace):
    """Return a database of an earlier version, and a connection to it."""
    from iaiflow_lab.store.migrate import migrate

    path = workspace / "older" / ".iaiflow" / "lab.db"
    path.parent.mkdir(parents=True)
    migrate(path, request.param)
    connection = sqlite3.connect(path)
    yield path, connection, request.param
    connection.close()


def test_a_store_of_an_earlier_version_opens_with_its_runs(store, older):
    path, connection, version = older
    connection.execute(
        "INSERT INTO runs (id, project, flow, source, version, state, inputs, queue, priority,"
        " run_at, ready, max_attempts, created_at, ended_at)"
        " VALUES ('run_1', 'default', 'a', '', 'v', 'completed', '{}', 'default', 0, 1, 1, 5, 1, 2)"
    )
    definitions = [("default", name, "{}", 1.0) for name in ("v", "nobody's")]
    connection.executemany("INSERT INTO flow_versions VALUES (?, ?, ?, ?)", definitions)
    connection.commit()
    connection.close()
    with Store.open(path.parents[1], real_world()).db.read() as reader:
        row = reader.one("run_by_id", ("default", "run_1"))
        assert (row["serial"], row["budget"]) == ("", None)
        ended = reader.all("runs_ended", {"project": "default", "since": 2, "limit": 9})
        assert [row["id"] for row in ended] == ["run_1"]
        assert reader.all("removals_since", {"project": "default", "since": 0}) == []
        assert reader.one("version_get", ("default", "v")) is not None
        has_nobodys = reader.one("version_get", ("default", "nobody's")) is not None
        assert has_nobodys == (version != "0001")  # 0002 forgot what nothing names
        assert reader.all("secrets_all", ("default",)) == []
    assert tables(path) == tables(store.db.path)


def test_a_database_without_a_version_is_left_alone(workspace):
    state = workspace / ".iaiflow"
    state.mkdir()
    connection = sqlite3.connect(state / "lab.db")
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="not a database of IAI Flow Lab"):
        Store.open(workspace, real_world())


def test_a_newer_store_is_refused(store, workspace):
    with store.db.write() as tx:
        tx._connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="of version 9999") as refusal:
        Store.open(workspace, real_world())
    assert refusal.value.code == "store-newer"


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"x" * 4_096])
def test_what_is_no_database_is_refused(workspace, content):
    (workspace / ".iaiflow").mkdir()
    (workspace / ".iaiflow" / "lab.db").write_bytes(content)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(workspace, real_world())


def test_another_programs_database_is_left_alone(workspace):
    (workspace / ".iaiflow").mkdir()
    connection = sqlite3.connect(workspace / ".iaiflow" / "lab.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="not a database of IAI Flow Lab"):
        Store.open(workspace, real_world())


def test_processes_that_open_at_once_make_one_store(workspace):
    code = (
        "import sys; from pathlib import Path; from iaiflow_lab.store.store import Store;"
        "from iaiflow_lab.world import real_world; Store.open(Path(sys.argv[1]), real_world())"
    )
    command = [sys.executable, "-c", code, str(workspace)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    assert versions.revision(workspace / ".iaiflow" / "lab.db") == versions.HEAD


def test_opening_imports_nothing_heavy(workspace):
    code = (
        "import sys; from pathlib import Path; from iaiflow_lab.service import open_session;"
        "open_session(Path(sys.argv[1]));"
        "heavy = {'sqlalchemy', 'alembic', 'duckdb', 'polars', 'pydantic', 'papermill', 'typer'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(workspace)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_state_folder_may_be_elsewhere(workspace, monkeypatch):
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "elsewhere" / "state"))
    Store.open(workspace, real_world()).close()
    assert (workspace / "elsewhere" / "state" / "lab.db").exists()
    assert not (workspace / ".iaiflow").exists()


def test_a_place_that_cannot_be_written_is_named_with_the_remedy(workspace, monkeypatch):
    (workspace / "file").write_text("")
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "file" / "state"))
    with pytest.raises(InputError, match="IAIFLOW_STATE_DIR") as refusal:
        Store.open(workspace, real_world())
    assert refusal.value.code == "read-only-workspace"


def test_a_lock_that_cannot_be_made_names_the_remedy(workspace):
    (workspace / ".iaiflow" / "lab.lock").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be written") as refusal:
        Store.open(workspace, real_world())
    assert "IAIFLOW_STATE_DIR" in refusal.value.remedy


def test_a_network_disk_is_refused(workspace, monkeypatch):
    monkeypatch.setattr("iaiflow_lab.store.store.network_filesystem", lambda folder: "nfs4")
    with pytest.raises(StoreError, match="nfs4"):
        Store.open(workspace, real_world())


def test_limits_of_the_settings_are_in_force(workspace):
    world = real_world()
    first = Store.open(workspace, world, Settings(limits={"queue:gpu": 1, "flow:a:b": 2}))
    from iaiflow_lab.store.store import limits

    assert limits(first.db) == {"queue:gpu": 1, "flow:a:b": 2}
    second = Store.open(workspace, world, Settings())
    assert limits(first.db) == {}
    first.close()
    second.close()


def test_a_busy_database_is_a_sentence(store, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    refused = []

    def write():
        with pytest.raises(StoreError, match="Another process holds") as refusal, store.db.write():
            pass
        refused.append(refusal.value.code)

    with store.db.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert refused == ["store-busy"]


def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(store):
    connection = store.db.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    rows = [("default", str(number), "x" * 4_000, 0.0) for number in range(100)]
    with pytest.raises(StoreError, match="disk is full") as refusal, store.db.write() as tx:
        tx.run_many("version_put", rows)
    assert refusal.value.code == "disk-full"
    with store.db.read() as reader:
        assert reader.one("version_get", ("default", "0")) is None
    connection.execute("PRAGMA max_page_count = 100000")
    with store.db.write() as tx:
        tx.run("version_put", ("default", "1", "x", 0.0))


def test_a_copy_made_in_the_middle_of_a_run_opens_and_is_whole(store, workspace, tmp_path):
    with store.db.write() as tx:
        tx.run("version_put", ("default", "kept", "x", 0.0))
    copy = tmp_path / "copy" / ".iaiflow"
    with store.db.write() as tx:
        tx.run("version_put", ("default", "unfinished", "x", 0.0))
        shutil.copytree(workspace / ".iaiflow", copy)
    opened = Store.open(copy.parent, real_world())
    with opened.db.read() as reader:
        assert reader.one("version_get", ("default", "kept")) is not None
        assert reader.one("version_get", ("default", "unfinished")) is None
    assert opened.db.connection().execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    opened.close()


def test_damage_is_a_sentence(workspace):
    Store.open(workspace, real_world()).close()
    path = workspace / ".iaiflow" / "lab.db"
    content = bytearray(path.read_bytes())
    content[100:8_000] = b"\xff" * 7_900
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as refusal:
        Store.open(workspace, real_world())
    assert refusal.value.code == "store-damaged"


def test_connections_of_threads_that_ended_are_closed(store):
    def use():
        with store.db.read() as reader:
            reader.all("limits_all")

    for _ in range(20):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(store.db._open) <= 2


def test_a_connection_that_is_being_used_outlasts_the_closing_of_the_others(store):
    """Closing it under a statement would crash the whole process."""
    inside, closed = threading.Event(), threading.Event()
    found = []

    def use():
        with store.db.write() as tx:
            inside.set()
            assert closed.wait(60)
            found.append(tx.run("limit_put", ("queue", "slow", 1)))
        found.append(store.db._here.link.connection)

    thread = threading.Thread(target=use)
    thread.start()
    assert inside.wait(60)
    store.db.close()
    closed.set()
    thread.join()
    changed, connection = found
    assert changed == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    with store.db.read() as reader:
        assert [row["subject"] for row in reader.all("limits_all")] == ["slow"]


def test_closing_again_and_again_crashes_nothing(store):
    ended = threading.Event()

    def use():
        while not ended.is_set():
            with store.db.read() as reader:
                reader.all("limits_all")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        store.close()
    ended.set()
    for thread in threads:
        thread.join()
