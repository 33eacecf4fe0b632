"""Secrets at rest: encrypted, bound to their names, and lost without their key."""

from __future__ import annotations

import base64
import json
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from iaiflow_lab.errors import InputError, NotFoundError, StoreError
from iaiflow_lab.safe import master_keys
from iaiflow_lab.store.secrets import Secrets
from iaiflow_lab.store.store import Store
from iaiflow_lab.world import real_world

VALUE = "canary-hunter2-tail"


@pytest.fixture
def store(workspace):
    opened = Store.open(workspace, real_world())
    yield opened
    opened.close()


@pytest.fixture
def secrets(store):
    return Secrets(store.db, store.world, "default")


@pytest.fixture
def key_file(tmp_path_factory, monkeypatch):
    """Let keys be kept in a file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.delenv(master_keys.VARIABLE)
    return master_keys.key_file()


class Ring(SimpleNamespace):
    """A keyring of this process."""

    def __init__(self) -> None:
        super().__init__(kept={})

    def set_password(self, service, name, text):
        self.kept[service, name] = text

    def get_password(self, service, name):
        return self.kept.get((service, name))

    def delete_password(self, service, name):
        del self.kept[service, name]


def everything(workspace) -> bytes:
    return b"".join(path.read_bytes() for path in workspace.rglob("*") if path.is_file())


def test_a_secret_is_kept_encrypted_and_opened_again(secrets, workspace):
    made = secrets.set("MAIL", VALUE, "anna")
    assert (made.version, made.created_by) == (1, "anna")
    assert secrets.open("MAIL") == (VALUE, 1)
    assert secrets.all() == [made]
    assert VALUE.encode() not in everything(workspace)


def test_versions_rise_and_never_come_again(secrets):
    assert [secrets.set("A", f"value {n}", "anna").version for n in range(3)] == [1, 2, 3]
    assert secrets.open("A") == ("value 2", 3)
    assert secrets.remove("A")
    assert not secrets.remove("A")
    assert secrets.all() == []
    with pytest.raises(NotFoundError, match="Secret A isn't set in project default"):
        secrets.open("A")
    assert secrets.set("A", "new", "anna").version == 4


def test_projects_do_not_see_each_other(secrets, store):
    secrets.set("A", VALUE, "anna")
    other = Secrets(store.db, store.world, "other")
    with pytest.raises(NotFoundError):
        other.open("A")
    assert other.all() == []


def test_a_box_opens_under_its_own_name_and_version_only(secrets, store):
    secrets.set("A", VALUE, "anna")
    secrets.set("B", "another value", "anna")
    connection = store.db.connection()
    connection.execute(
        "UPDATE secrets SET (nonce, box) ="
        " (SELECT nonce, box FROM secrets WHERE name = 'A') WHERE name = 'B'"
    )
    with pytest.raises(StoreError, match="Secret B was changed outside"):
        secrets.open("B")
    connection.execute("UPDATE secrets SET version = 9 WHERE name = 'A'")
    with pytest.raises(StoreError, match="Secret A was changed outside"):
        secrets.open("A")


def test_rotating_encrypts_all_anew_and_changes_nothing_else(secrets, store, key_file):
    for name in ("A", "B"):
        secrets.set(name, f"{VALUE} {name}", "anna")
    secrets.set("GONE", VALUE, "anna")
    secrets.remove("GONE")
    before = store.db.connection().execute("SELECT box FROM secrets WHERE box <> ''").fetchall()
    masters = set(json.loads(key_file.read_text()))
    assert secrets.rotate() == 2
    after = store.db.connection().execute("SELECT box FROM secrets WHERE box <> ''").fetchall()
    assert {bytes(row[0]) for row in before}.isdisjoint(bytes(row[0]) for row in after)
    assert [secrets.open(name) for name in ("A", "B")] == [(f"{VALUE} {n}", 1) for n in ("A", "B")]
    assert len(set(json.loads(key_file.read_text())) - masters) == 1


def test_a_rotation_that_fails_leaves_all_as_it_was(secrets, store, key_file):
    secrets.set("A", VALUE, "anna")
    secrets.set("B", VALUE, "anna")
    store.db.connection().execute("UPDATE secrets SET version = 9 WHERE name = 'B'")
    masters = key_file.read_text()
    with pytest.raises(StoreError, match="Secret B"):
        secrets.rotate()
    assert secrets.open("A") == (VALUE, 1)
    assert key_file.read_text() == masters


def test_an_interrupt_behind_the_commit_loses_nothing(secrets, store, key_file, monkeypatch):
    secrets.set("A", VALUE, "anna")
    write = store.db.write

    @contextmanager
    def interrupted():
        with write() as tx:
            yield tx
        raise KeyboardInterrupt

    monkeypatch.setattr(store.db, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        secrets.rotate()
    monkeypatch.setattr(store.db, "write", write)
    assert len(json.loads(key_file.read_text())) == 2
    assert secrets.open("A") == (VALUE, 1)


def test_nothing_to_rotate_is_no_trouble(secrets):
    assert secrets.rotate() == 0
    assert secrets.place() is None


def test_the_file_is_for_its_owner_only_and_outside_of_the_workspace(secrets, key_file, workspace):
    secrets.set("A", VALUE, "anna")
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert not key_file.is_relative_to(workspace)
    assert secrets.place() == f"in {key_file}"


def test_without_its_key_nothing_opens_and_a_sentence_says_so(secrets, key_file):
    secrets.set("A", VALUE, "anna")
    (name,) = json.loads(key_file.read_text())
    key_file.unlink()
    for call in (lambda: secrets.open("A"), secrets.rotate, lambda: secrets.set("B", "b", "anna")):
        with pytest.raises(StoreError) as refusal:
            call()
        assert refusal.value.what == f"Secrets can't be opened: key id {name} not found."
        assert refusal.value.remedy
    assert secrets.remove("A")
    secrets.set("A", "again", "anna")  # nothing needs the lost key any more
    assert secrets.open("A") == ("again", 2)


def test_the_keyring_comes_first_and_its_failures_fall_through(secrets, key_file, monkeypatch):
    ring = Ring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    secrets.set("A", VALUE, "anna")
    assert len(ring.kept) == 1
    assert not key_file.exists()
    assert secrets.place() == "in the keyring of this user"
    assert secrets.open("A") == (VALUE, 1)
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace())
    secrets.remove("A")
    secrets.set("A", VALUE, "anna")
    assert key_file.exists()


def test_a_keyring_that_forgets_at_once_is_none(secrets, key_file, monkeypatch):
    ring = Ring()
    ring.set_password = lambda *_: None
    monkeypatch.setitem(sys.modules, "keyring", ring)
    secrets.set("A", VALUE, "anna")
    assert secrets.place() == f"in {key_file}"


def test_keys_of_the_environment(secrets, monkeypatch):
    secrets.set("A", VALUE, "anna")
    assert secrets.place() == f"in the environment variable {master_keys.VARIABLE}"
    old = master_keys.os.environ[master_keys.VARIABLE]
    new = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()
    monkeypatch.setenv(master_keys.VARIABLE, new)
    with pytest.raises(StoreError, match="not found"):
        secrets.open("A")
    monkeypatch.setenv(master_keys.VARIABLE, f"{new}, {old}")
    assert secrets.rotate() == 1
    monkeypatch.setenv(master_keys.VARIABLE, new)
    assert secrets.open("A") == (VALUE, 1)
    monkeypatch.setenv(master_keys.VARIABLE, "hunter2")
    with pytest.raises(InputError, match="holds no key of 32 bytes") as refusal:
        secrets.open("A")
    assert "hunter2" not in str(refusal.value)


def test_two_that_set_the_first_secret_agree_on_a_key(workspace, store, key_file):
    names = [f"S{number}" for number in range(6)]
    barrier = threading.Barrier(len(names))

    def put(name: str) -> None:
        barrier.wait()
        Secrets(store.db, store.world, "default").set(name, VALUE, "anna")

    threads = [threading.Thread(target=put, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    secrets = Secrets(store.db, store.world, "default")
    assert [secrets.open(name) for name in names] == [(VALUE, 1)] * len(names)
    assert len(json.loads(key_file.read_text())) == 1


def test_a_damaged_file_of_keys_is_said(secrets, key_file):
    secrets.set("A", VALUE, "anna")
    key_file.write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        secrets.open("A")


@pytest.mark.parametrize("said", ["[]", '"key"', "7", "null", '{"k1": 7}', '{"k1": null}', "{"])
def test_an_odd_file_of_keys_is_a_sentence_and_stays_as_it_is(key_file, said):
    key_file.parent.mkdir(parents=True, exist_ok=True)
    key_file.write_text(said)
    with pytest.raises(StoreError, match="keys of secrets cannot be read") as caught:
        master_keys.find("k1")
    assert caught.value.code == "secrets-key-unreadable"
    assert key_file.read_text() == said
