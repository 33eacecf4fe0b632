"""Files that are no memory, snapshots, erasing to the last byte, exports."""

from __future__ import annotations

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from iaiflow_memory import schema
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import (
    BadInput,
    Busy,
    Damaged,
    Full,
    MemoryFault,
    NotFound,
    Unavailable,
    WrongSchema,
)
from iaiflow_memory.model import AsOf, Drawn, New, Query, Scope, Source
from iaiflow_memory.store import Store

HERE = Scope(project="p", user="ann", thread="t")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "memory.duckdb"


@pytest.fixture
def engine(path):
    opened = Engine(path)
    yield opened
    opened.close()


def tell(path, *texts: str) -> None:
    engine = Engine(path)
    engine.add(HERE, [New(text) for text in texts])
    engine.close()


def refused(path) -> MemoryFault:
    with pytest.raises(MemoryFault) as caught:
        Engine(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return caught.value


def test_a_file_that_is_no_memory_is_left_as_it_is(path):
    path.parent.mkdir()
    sqlite = b"SQLite format 3\x00" + b"\x00" * 4_080
    for content in (b"", b"hello", b"\x00" * 20_000, os.urandom(300_000), sqlite):
        path.write_bytes(content)
        assert isinstance(refused(path), Damaged)
        assert path.read_bytes() == content


def test_a_database_of_something_else_is_left_as_it_is(path):
    path.parent.mkdir()
    for table in ("invoices(n INTEGER)", "meta(key VARCHAR, value VARCHAR)"):
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE {table}")
        assert "other tables" in str(refused(path))


def test_a_memory_of_a_newer_version_says_so(path):
    tell(path, "tea")
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    fault = refused(path)
    assert isinstance(fault, WrongSchema)
    assert "format 99" in str(fault)
    assert f"up to {schema.CURRENT}" in str(fault)


def test_a_folder_is_no_memory(path):
    path.mkdir(parents=True)
    assert isinstance(refused(path), BadInput)


@pytest.mark.parametrize("cut", [0.2, 0.4])
def test_a_file_that_was_cut_is_damaged(path, cut):
    tell(path, *(f"text number {number} {os.urandom(50).hex()}" for number in range(2_000)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(Damaged):
        check_all(path)


def check_all(path) -> None:
    engine = Engine(path)
    try:
        with engine.store.read() as reader:
            for (table,) in reader.rows("SELECT table_name FROM duckdb_tables()"):
                reader.rows(f"FROM {table}")
    finally:
        engine.close()


def test_a_broken_log_is_damaged(engine, path, tmp_path):
    engine.add(HERE, [New("tea", id="1")])
    copy = tmp_path / "copy.duckdb"
    shutil.copy(path, copy)
    log = bytearray(path.with_name(path.name + ".wal").read_bytes())
    log[log.index(b"tea")] ^= 0xFF
    copy.with_name(copy.name + ".wal").write_bytes(log)
    assert isinstance(refused(copy), Damaged)


def test_one_process_opens_a_file_once(engine, path):
    with pytest.raises(Busy, match="already"):
        Engine(path.parent / "." / path.name)
    engine.close()
    Engine(path).close()


def test_a_closed_memory_says_so(engine):
    engine.close()
    engine.close()
    for call in (lambda: engine.add(HERE, [New("tea")]), lambda: engine.get("x"), engine.stats):
        with pytest.raises(Unavailable, match="closed"):
            call()


def test_who_waits_while_a_memory_is_closed_is_told_so(engine, monkeypatch):
    closed = threading.Event()
    mended = threading.Event()
    mend = Store._mend

    def mend_and_wait(store):
        mend(store)
        mended.set()
        assert closed.wait(60)

    monkeypatch.setattr(Store, "_mend", mend_and_wait)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(engine.get, "x")
        assert mended.wait(60)
        engine.close()
        closed.set()
        with pytest.raises(Unavailable, match="closed"):
            late.result()


def test_two_files_do_not_mix(path, tmp_path):
    first, second = Engine(path), Engine(tmp_path / "other.duckdb")
    first.add(HERE, [New("tea", id="1")])
    with pytest.raises(NotFound):
        second.get("1")
    assert first.stats().workspace != second.stats().workspace
    first.close()
    second.close()


def test_a_reader_sees_one_state(engine):
    engine.add(HERE, [New("one")])
    with engine.store.read() as reader:
        assert reader.one("SELECT count(*) FROM items") == (1,)
        with ThreadPoolExecutor(1) as other:
            other.submit(engine.add, HERE, [New("two")]).result()
        assert reader.one("SELECT count(*) FROM items") == (1,)
    assert engine.stats().versions == 2


def test_threads_write_and_read_at_once(engine, soak):
    each = soak(5, 50)
    start = threading.Barrier(4)

    def work(number):
        start.wait()
        for turn in range(each):
            (added,) = engine.add(HERE, [New(f"thread {number} said {turn}")])
            assert engine.get(added.id).body == f"thread {number} said {turn}"

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(4)]:
            done.result()
    assert engine.stats().memories == 4 * each


def test_moments_rise_even_when_the_clock_does_not(path):
    class Still:
        time = 1_000.0

        def now(self):
            return self.time

    clock = Still()
    engine = Engine(path, clock=clock)
    engine.add(HERE, [New("one", id="1")])
    engine.supersede("1", {"text": "two", "valid_from": 0})
    engine.close()
    clock.time = 10.0
    engine = Engine(path, clock=clock)
    engine.supersede("1", {"text": "three", "valid_from": 0})
    moments = [one.recorded_from for one in engine.history("1")]
    assert moments == sorted(set(moments))
    bodies = [engine.get("1", AsOf(valid=1_000, recorded=moment)).body for moment in moments]
    assert bodies == ["one", "two", "three"]
    engine.close()


def bytes_of(folder) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_what_is_erased_is_in_no_file(engine, path):
    secret = "Zanzibarquokka"
    engine.add(HERE, [New(f"Ann hides in {secret}", id="1", subject="Ann", meta={"a": secret})])
    engine.add(HERE, [New(f"ann hides in {secret}!", subject="Ann")])
    engine.add(HERE, [New(f"{secret} is nice", id="2", subject="Ann", tags=(secret,))])
    engine.supersede("1", {"text": f"Ann has left {secret}"})
    engine.supersede("1", {"text": "Ann is at home"})
    engine.forget("2")
    engine.add(HERE, [New("Bob is here", id="bob", subject="Bob")])
    engine.context(Query(secret))
    engine.close()
    path.chmod(0o600)
    spilled = path.with_name(path.name + ".tmp")  # as a process leaves it that was killed
    spilled.mkdir()
    (spilled / "duckdb_temp_storage-0.tmp").write_text(secret)
    path.with_name(path.name + ".wal.recovery").write_text(secret)
    engine = Engine(path)
    assert secret.encode() in bytes_of(path.parent)
    erased = engine.erase(subject="Ann")
    assert (erased.items, erased.episodes) == (6, 5)
    everything = bytes_of(path.parent).lower()
    assert secret.lower().encode() not in everything
    assert b"zanzibarquokka"[:12] not in everything  # nor its stem
    assert path.stat().st_mode & 0o777 == 0o600
    assert engine.get("bob").body == "Bob is here"
    assert [hit.item.id for hit in engine.search(Query("Bob"))] == ["bob"]
    assert engine.search(Query(secret)) == []
    engine.close()
    assert secret.encode() not in bytes_of(path.parent)


def test_what_is_erased_is_not_noted_as_recalled_afterwards(engine):
    engine.add(HERE, [New("Ann hides in the barn", id="1"), New("Bob is here", id="2")])
    erased, kept = (engine.get(memory).n for memory in ("1", "2"))
    engine.context(Query("Ann Bob hides here"))
    engine.erase(ids=["1"])
    engine.add(HERE, [New("tea")])
    with engine.store.read() as reader:
        for table in ("recall_log", "uses"):
            rows = {n for (n,) in reader.rows(f"SELECT n FROM {table}")}
            assert kept in rows
            assert erased not in rows


@pytest.mark.parametrize("row", [-1, 2**63, True, None])
def test_a_row_that_is_none_is_refused(engine, row):
    engine.add(HERE, [New("tea", id="1")])
    asked = [
        lambda: engine.recalled([(row, "tea")]),
        lambda: engine.undo(row),
        lambda: engine.settle("model", HERE, [], [row]),
        lambda: engine.put_vectors("model", {row: b"1234"}),
    ]
    for ask in asked:
        with pytest.raises(BadInput, match="row"):
            ask()
    assert engine.add(HERE, [New("milk")])[0].is_new


def test_erasing_that_failed_is_ended_by_the_next(path):
    rooms: list[str] = []

    def faults(point):
        if point == "erase.before_copy" and not rooms:
            raise Full("No room is left on the disk")

    secret = "Zanzibarquokka"
    engine = Engine(path, faults=faults)
    engine.add(HERE, [New(f"Ann hides in {secret}", subject="Ann"), New("tea", id="tea")])
    for _ in range(2):
        with pytest.raises(Full):
            engine.erase(subject="Ann")
    engine.close()
    with pytest.raises(Full):  # nobody has it open then
        Engine(path, faults=faults)
    rooms.append("there is some again")
    engine = Engine(path, faults=faults)
    engine.close()
    assert secret.encode() not in bytes_of(path.parent)


def test_a_file_that_could_not_be_opened_again_is_tried_by_the_next(engine, monkeypatch):
    engine.add(HERE, [New("tea", id="1"), New("milk", id="2")])
    monkeypatch.setattr(Store, "_open", lambda _: refuse("the disk is away"))
    with pytest.raises(Unavailable, match="away"):
        engine.erase(ids=["1"])
    with pytest.raises(Unavailable, match="away"):
        engine.get("2")
    monkeypatch.undo()
    assert engine.get("2").body == "milk"


def refuse(what):
    raise Unavailable(what)


def test_a_process_that_dies_while_it_makes_a_file_leaves_none(path, monkeypatch):
    monkeypatch.setattr(schema, "prepare", lambda *_: refuse("it died"))
    with pytest.raises(Unavailable, match="died"):
        Engine(path)
    assert not path.exists()
    monkeypatch.undo()
    path.with_name(path.name + ".new").write_bytes(b"half a file")
    tell(path, "tea")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_erasing_a_person_leaves_the_others(engine):
    engine.add(Scope("p", user="ann"), [New("tea for two", id="1")])
    engine.add(Scope("p", user="bob"), [New("tea for two", id="2")])
    assert engine.erase(scope=Scope(user="ann")).items == 1
    with pytest.raises(NotFound):
        engine.get("1")
    assert engine.get("2").body == "tea for two"
    assert engine.stats().scopes == 1
    assert engine.erase(scope=Scope(user="ann")).items == 0


def test_erasing_is_limited_by_all_that_is_named(engine):
    ann, bob = Scope("p", user="ann"), Scope("p", user="bob")
    engine.add(ann, [New("tea", id="1", subject="x"), New("milk", id="2", subject="y")])
    engine.add(bob, [New("tea", id="3", subject="x")])
    assert engine.erase(ids=["2"], scope=bob).items == 0
    assert engine.erase(ids=["1", "3"], subject="x", scope=ann).items == 1
    assert engine.erase(ids=["2"], scope=ann).items == 1
    assert engine.get("3").body == "tea"


def test_numbers_of_what_is_erased_are_not_given_again(engine, path):
    engine.add(HERE, [New("one", id="1"), New("two", id="2")])
    last = engine.get("2").n
    engine.erase(ids=["1", "2"])
    engine.close()
    engine = Engine(path)
    engine.add(HERE, [New("two", id="2")])
    assert engine.get("2").n > last
    engine.close()


def test_erasing_waits_for_who_reads_and_gets_its_turn(engine):
    engine.add(HERE, [New("tea", id="1"), New("milk", id="2")])
    done = threading.Event()

    def read():
        while not done.is_set():
            assert engine.get("2").body == "milk"

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            assert engine.erase(ids=["1"]).items == 1
        finally:
            done.set()
        for reader in readers:
            reader.result()
    with pytest.raises(NotFound):
        engine.get("1")


def test_erasing_needs_to_know_what(engine):
    with pytest.raises(BadInput, match="Nothing says what"):
        engine.erase()


def test_an_export_holds_everything(engine, tmp_path):
    engine.add(HERE, [New("Ann lives in Hue", id="1", value={"a": 1}, tags=("home",))])
    engine.supersede("1", {"text": "Ann lives in Hanoi"})
    engine.add(Scope("q"), [New("Bob is away", id="2", meta={"k": "v"}), New("tea", id="3")])
    engine.forget("3")
    moved = engine.export(tmp_path / "copy")
    assert moved.rows["items"] == 5
    other = Engine(tmp_path / "other.duckdb")
    other.add(Scope("q"), [New("something of its own: tea in Hanoi", id="own")])
    assert other.load(tmp_path / "copy").rows == {"items": 5, "episodes": 4}
    for memory in ("1", "2", "3"):
        assert alike(other.history(memory)) == alike(engine.history(memory))
    assert other.episode("2").meta == {"k": "v"}
    hits = other.search(Query("Who lives in Hanoi?"))
    assert hits[0].item.id == "1"
    before = other.stats()
    assert other.load(tmp_path / "copy").rows == {"items": 0, "episodes": 0}
    assert other.stats() == before
    other.supersede("1", {"text": "Ann lives in Vinh"})
    assert other.get("1").version == 4
    other.close()


def alike(items):
    """Versions without the numbers of their rows."""
    return [(i.id, i.version, i.body, i.value, i.tags, i.scope, i.recorded_to) for i in items]


def test_statistics_after_a_load_are_those_of_the_texts(engine, tmp_path):
    engine.add(HERE, [New("tea in Hue", id="1"), New("tea in Hanoi", id="2")])
    engine.forget("2")
    engine.export(tmp_path / "copy")
    engine.erase(ids=["1"])
    engine.load(tmp_path / "copy")
    with engine.store.read() as reader:
        df = dict(reader.rows("SELECT term, df FROM terms"))
        assert df["tea"] == 1
        assert df["hanoi"] == 0
        assert reader.rows("SELECT docs FROM totals") == [(1,)]


def test_a_later_export_is_loaded_beside_what_was_loaded_before(engine, tmp_path):
    engine.add(HERE, [New("Ann moved to Hanoi", id="told")])
    engine.export(tmp_path / "first")
    (told,) = engine.unread("model", HERE, 10)
    source = Source(told.id, 0, 3)
    engine.settle("model", HERE, [Drawn("Ann lives in Hanoi", sources=(source,))], [told.seq])
    engine.export(tmp_path / "n=7")  # no number, though it looks like one of a column
    other = Engine(tmp_path / "other.duckdb")
    other.load(tmp_path / "first")
    other.load(tmp_path / "n=7")
    other.add(HERE, [New("Bob is away", id="bob")])
    (drawn,) = [hit.item for hit in other.search(Query("Where does Ann live?", limit=1))]
    assert (drawn.body, drawn.episode_id) == ("Ann lives in Hanoi", "told")
    assert drawn.n != 7
    with other.store.read() as reader:
        assert reader.rows("SELECT seq FROM episodes ANTI JOIN provenance ON seq = episode") == []
        assert reader.rows("SELECT item FROM provenance ANTI JOIN episodes ON seq = episode") == []
        assert reader.rows("SELECT item FROM provenance ANTI JOIN batches USING (batch)") == []
    assert other.erase(ids=["bob"]).episodes == 1
    assert other.get(drawn.id).episode_id == "told"
    other.close()


def test_an_export_leaves_alone_what_is_beside_it(engine, tmp_path):
    (tmp_path / "copy.part").mkdir()
    (tmp_path / "copy.part" / "letter.txt").write_text("keep me")
    engine.export(tmp_path / "copy")
    assert (tmp_path / "copy.part" / "letter.txt").read_text() == "keep me"
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0  # it holds what the memory does
    with pytest.raises(Unavailable, match="File exists"):
        engine.export(tmp_path / "copy" / "memory.json" / "within")
    assert {file.name for file in tmp_path.iterdir()} == {"copy", "copy.part", "state"}


def test_an_export_does_not_write_over_anything(engine, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("keep me")
    with pytest.raises(BadInput, match="exists already"):
        engine.export(tmp_path / "full")
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_an_export_is_loaded_from_the_folder_that_is_named_alone(engine, tmp_path):
    engine.add(HERE, [New("tea", id="1")])
    engine.export(tmp_path / "copies")
    engine.add(HERE, [New("milk", id="2")])
    for number, name in enumerate(("c*s", "cop?es", "cop[i]es", "it's")):
        engine.export(tmp_path / name)
        other = Engine(tmp_path / f"{number}.duckdb")
        assert other.load(tmp_path / name).rows == {"items": 2, "episodes": 2}
        other.close()


def damage_twice(folder):
    name = folder / "scopes.parquet"
    twice = folder / "twice.parquet"
    duckdb.sql(f"FROM '{name}' UNION ALL FROM '{name}'").write_parquet(str(twice))
    twice.replace(name)


def damage_contents(folder):
    (folder / "memory.json").write_text("{")


def damage_version(folder):
    (folder / "memory.json").write_text(json.dumps({"format": 99}))


def damage_table(folder):
    (folder / "items.parquet").write_bytes(b"PAR1 no")


def damage_columns(folder):
    shutil.copy(folder / "terms.parquet", folder / "items.parquet")


def damage_missing(folder):
    (folder / "episodes.parquet").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        *(damage_contents, damage_version, damage_table, damage_columns, damage_missing),
        damage_twice,
    ],
)
def test_a_damaged_export_loads_nothing(engine, tmp_path, damage):
    engine.add(HERE, [New("tea", id="1")])
    engine.export(tmp_path / "copy")
    damage(tmp_path / "copy")
    other = Engine(tmp_path / "other.duckdb")
    with pytest.raises(BadInput, match=r"export"):
        other.load(tmp_path / "copy")
    assert other.stats().versions == 0
    other.add(HERE, [New("works still")])
    other.close()


def test_a_step_of_the_schema_is_applied_once(path, tmp_path, monkeypatch):
    tell(path, "tea")
    step, number = tmp_path / "9999.sql", schema.CURRENT + 1
    step.write_text("ALTER TABLE episodes ADD COLUMN mood VARCHAR")
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, step])
    monkeypatch.setattr(schema, "CURRENT", number)
    for _ in range(2):
        store = Store(path)
        with store.read() as reader:
            assert reader.rows("SELECT body, mood FROM episodes") == [("tea", None)]
            assert reader.rows("SELECT value FROM meta WHERE key = 'schema'") == [(str(number),)]
        store.close()


def as_first_made(path) -> None:
    """Make of a file what the first version of the tables would be."""
    with duckdb.connect(str(path)) as connection:
        for table in ("items", "episodes"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN key")
        connection.execute("ALTER TABLE models DROP COLUMN used_at")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")


def test_a_file_of_the_first_version_is_brought_up_to_date(engine, path, tmp_path):
    engine.add(HERE, [New("Ann is in Huế", id="ann"), New("tea", id="trà")])
    engine.supersede("ann", {"text": "Ann is at home"})
    engine.put_vectors("model", {1: b"1234"})
    engine.close()
    as_first_made(path)
    engine = Engine(path)
    assert engine.pending("model", 10)
    assert engine.stats().embedder == "model"
    assert engine.stats().schema == schema.CURRENT
    assert [item.body for item in engine.history("ann")] == [
        "Ann is in Huế",
        "Ann is at home",
        "Ann is in Huế",
    ]
    assert engine.get("trà").body == "tea"
    assert engine.episode(engine.get("ann").episode_id).body == "Ann is at home"
    assert not engine.add(HERE, [New("Milk", id="new"), New("tea", id="trà")])[0].same_as
    assert engine.stats().memories == 3
    assert engine.forget("ann")
    engine.export(tmp_path / "copy")
    engine.close()
    other = Engine(tmp_path / "other.duckdb")
    other.load(tmp_path / "copy")
    assert other.get("trà").body == "tea"
    assert other.episode("new").body == "Milk"
    other.close()


def test_texts_are_looked_for_by_the_key_of_their_id_and_told_apart_by_the_id(engine, monkeypatch):
    for module in ("items", "history", "episodes", "writing", "drawing"):
        monkeypatch.setattr(f"iaiflow_memory.{module}.key_of", lambda _: 1)
    engine.add(HERE, [New("tea", id="1"), New("milk", id="2")])
    engine.supersede("1", {"text": "green tea"})
    assert engine.forget("2")
    engine.add(HERE, [New("milk", id="2"), New("rice", id="3")])
    assert engine.get("1").body == "green tea"
    assert [item.body for item in engine.history("2")] == ["milk"]
    assert engine.episode("3").body == "rice"
    with pytest.raises(NotFound):
        engine.get("4")
    with pytest.raises(NotFound):
        engine.episode("4")


def test_a_step_that_fails_leaves_the_file_as_it_was(path, tmp_path, monkeypatch):
    tell(path, "tea")
    step = tmp_path / "9999.sql"
    step.write_text("ALTER TABLE episodes ADD COLUMN mood VARCHAR; SELECT nothing FROM nowhere")
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, step])
    monkeypatch.setattr(schema, "CURRENT", schema.CURRENT + 1)
    with pytest.raises(duckdb.Error):
        Store(path)
    monkeypatch.undo()
    engine = Engine(path)
    assert engine.stats().schema == schema.CURRENT
    engine.close()
