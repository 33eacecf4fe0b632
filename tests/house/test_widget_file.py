"""What is shown in a cell is one file that needs no more than anywidget's own model.

Notebooks outside JupyterLab (VS Code, Colab, marimo) load the text of the module without a place of
its own, often in a sandboxed frame: it cannot load more of itself, and must not need a server,
storage, workers or anything of Jupyter's page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: What such a host may lack or forbid.
LACKING = {
    "another module": r"\bimport\s*\(|^\s*import\s",
    "CommonJS": r"\brequire\s*\(",
    "code from text": r"\beval\s*\(|\bnew Function\b",
    "a server": r"\bfetch\s*\(|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b|\bsendBeacon\b",
    "storage": r"\bsessionStorage\b|\bindexedDB\b|\bdocument\.cookie\b",
    "a worker": r"\bnew (?:Shared)?Worker\b|\bserviceWorker\b",
    "the host's page": r"\bwindow\.(?:parent|top)\b|\bjupyterapp\b",
}


FILES = (
    "iaiflow_lab/canvas/static/canvas.js",
    "memory/iaiflow_memory/inspector/static/inspector.js",
    "agents/iaiflow_agents/chat/static/chat.js",
    "iaiflow_lab/canvas/static/asks.js",
)


@pytest.fixture(scope="module", params=FILES)
def module(root: Path, request: pytest.FixtureRequest) -> str:
    return (root / request.param).read_text()


@pytest.mark.parametrize("need", LACKING)
def test_it_needs_nothing_that_a_host_may_lack(module: str, need: str):
    assert re.findall(LACKING[need], module, re.MULTILINE) == []


def test_it_is_an_anywidget_module(module: str):
    assert re.search(r"export\s*\{[^}]*\bas default\b[^}]*\}|export default", module)


def test_what_shows_no_flow_holds_nothing_of_the_canvas(root: Path):
    canvas, inspector, chat, asks = ((root / file).read_text() for file in FILES)
    assert "react-flow" in canvas
    assert "react-flow" not in inspector + chat + asks
    assert len(inspector) < 250_000
    assert len(asks) < 260_000
    assert len(chat) < 450_000


def test_it_asks_the_model_for_what_every_host_has(root: Path):
    source = "".join(
        file.read_text() for file in (root / "extension" / "src" / "widget").glob("*.ts")
    )
    used = set(re.findall(r"\bmodel\??\.(\w+)", source))
    assert used <= {"get", "set", "save_changes", "on", "off", "send", "widget_manager"}
