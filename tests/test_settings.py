from __future__ import annotations

import pytest

from iaiflow_lab.errors import InputError
from iaiflow_lab.settings import Settings, find_workspace, load_settings, make_state_dir, state_dir

SMTP = '[smtp]\nhost = "mail.example.org"\nsender = "lab@example.org"\n'


@pytest.fixture
def write(workspace):
    def write(text):
        (make_state_dir(workspace) / "config.toml").write_text(text)

    return write


def test_a_workspace_is_the_nearest_folder_with_a_state_folder(workspace):
    inner = workspace / "a" / "b"
    inner.mkdir(parents=True)
    assert find_workspace(inner) == inner
    make_state_dir(workspace)
    assert find_workspace(inner) == workspace
    (inner / "note.ipynb").write_text("{}")
    assert find_workspace(inner / "note.ipynb") == workspace
    assert find_workspace() == workspace


def test_a_folder_that_is_not_there_is_a_sentence(workspace):
    with pytest.raises(InputError, match="does not exist"):
        find_workspace(workspace / "missing")


def test_the_state_folder_can_be_moved(workspace, monkeypatch):
    assert state_dir(workspace) == workspace / ".iaiflow"
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "elsewhere"))
    assert state_dir(workspace) == workspace / "elsewhere"


def test_a_moved_state_folder_belongs_to_one_workspace(workspace, monkeypatch):
    monkeypatch.setenv("IAIFLOW_STATE_DIR", str(workspace / "elsewhere"))
    inner, other = workspace / "one" / "inner", workspace / "other"
    inner.mkdir(parents=True)
    other.mkdir()
    assert find_workspace(inner) == inner
    for _ in range(2):
        make_state_dir(inner.parent)
    assert find_workspace(inner) == inner.parent
    assert find_workspace(other) == other
    with pytest.raises(InputError, match="holds the state of another workspace") as refusal:
        make_state_dir(other)
    assert str(inner.parent) in refusal.value.where


def test_without_a_file_the_defaults_hold(workspace):
    assert load_settings(workspace) == Settings()


def test_settings_are_read(workspace, write):
    write(
        'durability = "full"\nlease_s = 2.5\nmax_attempts = 2\n'
        'warm_kernels = 2\nwarm_imports = ["polars"]\n'
        '[limits]\n"queue:gpu" = 1\n"flow:a/b.flow.json" = 2\n[kernel_limits]\nfiles = 100\n'
    )
    assert load_settings(workspace) == Settings(
        "full",
        2.5,
        2,
        {"queue:gpu": 1, "flow:a/b.flow.json": 2},
        warm_kernels=2,
        warm_imports=["polars"],
        kernel_limits={"files": 100},
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("durability = ", "not a TOML file"),
        ("lease = 3", "'lease' is not a setting"),
        ('durability = "fast"', "'fast' is unknown"),
        ("lease_s = 0.1", "lease_s = 0.1 is out of range"),
        ("lease_s = nan", "lease_s = nan is out of range"),
        ("lease_s = true", "lease_s = True is out of range"),
        ("max_attempts = 0", "max_attempts = 0 is out of range"),
        ("max_attempts = 1.5", "max_attempts = 1.5 is out of range"),
        ("limits = 3", "limits is not a table"),
        ("[limits]\ngpu = 1", "'gpu' names nothing"),
        ('[limits]\n"queue:gpu" = -1', "is no count"),
        ("warm_kernels = -1", "warm_kernels = -1 is out of range"),
        ("warm_kernels = true", "warm_kernels = True is out of range"),
        ('warm_imports = "polars"', "no list of modules"),
        ('warm_imports = ["a b"]', "no list of modules"),
        ("kernel_limits = 3", "kernel_limits is not a table"),
        ("[kernel_limits]\ncores = 1", "'cores' is no limit of a kernel"),
        ("[kernel_limits]\nmemory = 0", "memory = 0 is no count"),
        ("smtp = 3", "smtp lacks host or sender"),
        (SMTP + 'password = "x"', "'password' never stands in a file"),
        (SMTP + "port = 70000", "smtp port = 70000 can't be used"),
        (SMTP + 'tls = "maybe"', "tls = 'maybe' is unknown"),
        (SMTP + 'user = "lab"', "has a user and no password"),
        (SMTP + 'user = "lab"\npassword_env = "P"\ntls = "none"', "out in the open"),
        ('[smtp]\nhost = "h"\nsender = "a b@c"', "'a b@c' is no address"),
        ('run_link = "javascript:{run}"', "is no address of runs"),
        ("memory = 3", "memory has one setting"),
        ('[memory]\nembedder = ""', "memory has one setting"),
        ('[memory]\nmodel = "minilm"', "memory has one setting"),
    ],
)
def test_a_wrong_setting_is_a_sentence_that_names_the_file(workspace, write, text, sentence):
    write(text)
    with pytest.raises(InputError, match=sentence) as refusal:
        load_settings(workspace)
    assert refusal.value.where.endswith("config.toml")


def test_the_embedder_of_the_memory_is_named(workspace, write):
    assert load_settings(workspace).embedder == ""
    write('[memory]\nembedder = "ollama:bge-m3"')
    assert load_settings(workspace).embedder == "ollama:bge-m3"


def test_a_file_that_is_no_text_is_a_sentence(workspace):
    (make_state_dir(workspace) / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a TOML file"):
        load_settings(workspace)


def test_a_mail_server_has_the_usual_port_of_its_kind(workspace, write):
    assert load_settings(workspace).mail_server is None
    for tls, port in {"starttls": 587, "tls": 465, "none": 25}.items():
        write(f'{SMTP}tls = "{tls}"\n')
        assert load_settings(workspace).mail_server.port == port
    write(f"{SMTP}port = 2525\n")
    assert load_settings(workspace).mail_server.port == 2525
