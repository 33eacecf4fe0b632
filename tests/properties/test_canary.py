"""A secret is spilled in every way that a run has, and is found nowhere in the workspace."""

from __future__ import annotations

import base64
import contextlib
import gzip
import html
import io
import json
import sqlite3
import string
import zipfile
from pathlib import Path
from random import Random
from urllib.parse import quote

import nbformat
import polars as pl
import pytest

from iaiflow_lab import Lab
from iaiflow_lab.model.data import from_data
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs, secrets
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]

SPELL = """
import base64, html, json
from random import Random
from urllib.parse import quote

SPELLINGS = {
    "plain": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64+1": lambda text: base64.b64encode(b"x" + text.encode() + b"y").decode(),
    "base64+2": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"z").decode(),
    "hex": lambda text: text.encode().hex(),
    "url": lambda text: quote(text, safe=""),
    "json": json.dumps,
    "nested": lambda text: json.dumps({"a": [json.dumps({"b": text})]}),
    "html": html.escape,
    "repr": repr,
}


def spell(text, seed):
    rng = Random(seed)
    around = "".join(rng.choices("abc <>/", k=rng.choice([0, 3, 280, 5000])))
    return around + SPELLINGS[rng.choice(sorted(SPELLINGS))](text) + around[:5]


def pieces(text, seed):
    rng = Random(seed)
    while text:
        size = rng.randint(1, 12)
        yield text[:size]
        text = text[size:]
"""

NODES = (
    SPELL
    + """
import logging, sys, warnings
from typing import Any
from iaiflow_lab.sdk.annotations import Json, Secret
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.outcome import Skip


def prints(ctx, text, seed):
    print("it is", text)

def streams(ctx, text, seed):
    out = [sys.stdout, sys.stderr][seed % 2]
    for piece in pieces(text, seed):
        out.write(piece)
        out.flush()

def bars(ctx, text, seed):
    for piece in pieces(text, seed):
        sys.stderr.write(f"\\r{seed % 100}% {piece}")

def logs(ctx, text, seed):
    logging.getLogger("leak").warning("%s", {"a": text})
    warnings.warn(text)
    ctx.log(text)

def spans(ctx, text, seed):
    ctx.progress(1, 2, text)
    ctx.metric("m", 1.0)
    with ctx.span("s", a=text, b={"c": [text]}):
        ctx.emit({"x": [text]})
        ctx.emit(text)

def files(ctx, text, seed):
    ctx.artifact("a.txt", text)
    ctx.artifact("b.bin", b"\\xff\\x00" + text.encode() + b"\\xfe")
    ctx.artifact("c.json", json.dumps({"a": text * (1 + seed % 3)}))

def once(ctx, text, seed):
    ctx.once("a", lambda: {"t": text})
    ctx.once("b", lambda: text.encode())
    ctx.once("c", lambda: [text] * 400)

def displays(ctx, text, seed):
    from IPython.display import HTML, display
    display(HTML(f"<b>{text}</b>"))

WAYS = [prints, streams, bars, logs, spans, files, once, displays]


def deep(text, seed, depth):
    frame_local = {"held": text}
    if depth:
        return deep(text, seed, depth - 1)
    try:
        {}[text]
    except KeyError as error:
        if seed % 2:
            raise ValueError(f"cannot use {text}") from error
        raise


@node("leak.spill", effects="read")
def spill(ctx: Context, value: Any = None, *, seed: int, key: Secret = "secret:CANARY") -> Json:
    rng = Random(seed)
    secret = ctx.secret("CANARY") if seed % 3 else key
    assert not secret.startswith("secret:")
    for way in rng.choices(WAYS, k=4):
        way(ctx, spell(secret, rng.random()), rng.randrange(100))
    text = spell(secret, rng.random())
    kind = rng.randrange(7)
    if kind == 0:
        return deep(text, seed, rng.randrange(5))
    if kind == 1:
        return {"deep": [{"list": [text, 1, None]}, {text: True}]}
    if kind == 2:
        return [text] * 2_000
    if kind == 3:
        return "." * 290 + text
    return {"plain": text, "was": value is None}


@node("leak.bytes", effects="read")
def as_bytes(ctx: Context, *, seed: int) -> bytes:
    return b"\\xff" * (seed % 5) + spell(ctx.secret("CANARY"), seed).encode()


@node("leak.table", effects="read")
def as_table(ctx: Context, *, seed: int):
    import polars as pl
    text = spell(ctx.secret("CANARY"), seed)
    return pl.DataFrame({"n": [1, 2], "text": ["x", text], "more": [[text], ["y"]]})


@node("leak.skip", effects="read")
def skips(ctx: Context, *, seed: int) -> str | Skip:
    return Skip(f"no use for {spell(ctx.secret('CANARY'), seed)}")


@node("leak.some", effects="read")
def partials(ctx: Context, *, seed: int) -> str:
    for piece in range(3):
        yield spell(ctx.secret("CANARY"), seed + piece)


@node("leak.apart", effects="read", pool="process")
def apart(*, seed: int, key: Secret = "secret:CANARY") -> str:
    print(spell(key, seed))
    if seed % 2:
        raise RuntimeError(spell(key, seed))
    return spell(key, seed)
"""
)

CELLS = (
    SPELL,
    """
from IPython.display import HTML, display
from iaiflow_lab import Context, Flow, node

@node
def give(ctx: Context) -> list:
    print(ctx.secret("CANARY"))
    return list(ctx.secret("CANARY"))

with Flow("Give") as flow:
    give()
value = "".join(flow.run()["give"].value)
assert len(value) > 5
""",
    """
import os, subprocess, sys, time
print(value, "and", spell(value, SEED))
for stream in (sys.stdout, sys.stderr):
    for piece in pieces(spell(value, SEED + 1), SEED):
        stream.write(piece)
        stream.flush()
        if SEED % 2 and len(piece) == 7:
            time.sleep(0.15)  # so that what comes next stands in another event
display(HTML("<b>" + html.escape(value) + "</b>"), {"a": spell(value, SEED + 2)})
subprocess.run([sys.executable, "-c", "print(" + repr(value) + ")"])
os.write(2, value.encode())
""",
    """
held = display("start", display_id=True)
held.update(spell(value, SEED + 3))
{"result": [value]}
""",
    "def fail(text):\n    raise ValueError(text)\nfail(spell(value, SEED + 4))",
)


@pytest.fixture(autouse=True)
def _forget():
    """Let no other test pay for the secrets of these."""
    yield
    RESOLVED.__init__()


def canary(rng: Random) -> str:
    """Return a secret of one of several kinds."""
    letters = string.ascii_letters + string.digits
    kinds = (letters, letters + string.punctuation, letters + "äßжλ漢/+&\"'\\<>")
    return "".join(rng.choices(rng.choice(kinds), k=rng.choice([8, 12, 24, 40, 200])))


def forms(secret: str) -> set[bytes]:
    """Return what must stand nowhere."""
    raw = secret.encode()
    texts = {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        raw.hex(),
    }
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            core = encode(b"\0" * before + raw).decode().rstrip("=")
            texts.add(core[-(-before * 4 // 3) : -1])
    return {text.encode() for text in texts}


def unpacked(data: bytes) -> list[bytes]:
    """Return bytes as they are, and what they are the compressed form of."""
    found = [data]
    if data[:2] == b"\x1f\x8b":
        found.append(gzip.decompress(data))
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found += [archive.read(name) for name in archive.namelist()]
    if data[:6] == b"ARROW1":
        plain = io.BytesIO()
        pl.read_ipc(io.BytesIO(data)).write_ipc(plain, compression="uncompressed")
        found.append(plain.getvalue())
    return found


def everything(workspace: Path) -> dict[str, bytes]:
    """Return every byte below the workspace that a test did not write itself."""
    found: dict[str, bytes] = {}
    for path in workspace.rglob("*"):
        if path.is_file():
            for number, data in enumerate(unpacked(path.read_bytes())):
                found[f"{path.relative_to(workspace)}#{number}"] = data
    with contextlib.closing(sqlite3.connect(workspace / ".iaiflow" / "lab.db")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:  # as values: in the file a long text lies in several places
            rows = database.execute(f'SELECT * FROM "{table}"').fetchall()
            parts = [part if isinstance(part, bytes) else str(part).encode()
                     for row in rows for part in row]  # fmt: skip
            found[f"table {table}"] = b"\n".join(parts)
    return found


def assert_nowhere(workspace: Path, canaries: list[str]) -> None:
    kept = everything(workspace)
    assert any(name.startswith("table steps") and data for name, data in kept.items())
    for secret in canaries:
        for form in forms(secret):
            spilled = [name for name, data in kept.items() if form in data]
            assert spilled == [], (secret, form)


def flow_of(rng: Random) -> dict:
    """Return a flow of a few nodes, some after each other."""
    kinds = ["leak.spill"] * 4 + ["leak.bytes", "leak.table", "leak.skip", "leak.some"]
    nodes, edges = {}, []
    for number in range(rng.randint(1, 4)):
        kind = rng.choice(kinds)
        nodes[f"n{number}"] = {"type": kind, "config": {"seed": rng.randrange(10**6)}}
        if number and kind == "leak.spill" and rng.random() < 0.5:
            edges.append(f"n{number - 1}.out -> n{number}.value")
    if rng.random() < 0.1:
        nodes["apart"] = {"type": "leak.apart", "config": {"seed": rng.randrange(10**6)}}
    return {"format": "iaiflow/1", "name": "Leak", "nodes": nodes, "edges": edges}


def drain(session) -> None:
    owner = owner_name("worker", session.world.ids)
    work(session.coordinator, session.world, owner, Duty(("default",), drain=True), Stop())


def test_a_secret_that_runs_spill_is_nowhere(workspace, soak):
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "leaks.py").write_text(NODES)
    canaries = []
    with open_session(workspace) as session:
        types = load_catalog(workspace)
        for seed in range(soak(50, 500)):
            rng = Random(seed)
            canaries.append(canary(rng))
            secrets.put(session, "CANARY", canaries[-1], "anna")
            runs.start(session, from_data(flow_of(rng)), {}, types)
            drain(session)
            if seed % 25 == 24:
                RESOLVED.__init__()  # another worker would know the present one alone
        found = history.list_runs(session, limit=1_000)
        assert {run.state.value for run in found} == {"completed", "failed"}
        assert_nowhere(workspace, canaries)


def test_a_secret_that_interactive_runs_spill_is_nowhere(workspace, soak, capsys):
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "leaks.py").write_text(NODES)
    from iaiflow_lab import Flow

    lab, canaries = Lab(workspace), []
    for seed in range(soak(10, 100)):
        rng = Random(seed)
        canaries.append(canary(rng))
        lab.secrets.set("CANARY", canaries[-1])
        flow = Flow("Leak")
        for number, (name, node) in enumerate(flow_of(rng)["nodes"].items()):
            flow.add(node["type"], id=f"{name}_{number}", **node["config"])
        with contextlib.suppress(Exception):
            flow.run()
    said = "".join(capsys.readouterr())
    assert_nowhere(workspace, canaries)
    assert [secret for secret in canaries if secret in said] == []


def test_a_secret_that_notebooks_spill_is_nowhere(workspace, soak):
    lab, canaries = Lab(workspace), []
    with open_session(workspace) as session:
        for seed in range(soak(2, 20)):
            canaries.append(canary(Random(seed)))
            lab.secrets.set("CANARY", canaries[-1])
            cells = [f"SEED = {seed}", *CELLS]
            made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
            nbformat.write(made, workspace / "leak.ipynb")
            lab.runs.start("leak.ipynb")
            drain(session)
    found = lab.runs.ls()
    assert {run.error.message.partition(":")[0] for run in found if run.error} != set()
    assert {run.state.value for run in found} == {"failed"}
    assert all("ValueError" in run.error.message for run in found), found[0].error
    assert_nowhere(workspace, canaries)
