"""Exported documents in a browser: nothing in them runs, and nothing is asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import mistune
import pytest
from browser.patience import PATIENCE
from plainpage import Canary, canary
from playwright.sync_api import Browser, Page

from iaiflow_lab.notebook.export import Form, export

__all__ = ["canary"]

PAYLOADS = [
    "<script>owned = 1; fetch('CANARY/a')</script>",
    "<img src='CANARY/b' onerror='owned = 1'><img src=x onerror='owned = 1'>",
    "<svg onload='owned = 1'><image href='CANARY/c'/><script>owned = 1</script></svg>",
    "<iframe src='CANARY/d'></iframe><iframe srcdoc='<script>parent.owned = 1</script>'></iframe>",
    "<style>@import 'CANARY/e'; body { background: url(CANARY/f) }</style>",
    "<p style='background: url(CANARY/g)'>a</p><video src='CANARY/h' poster='CANARY/i' autoplay>",
    "<link rel=stylesheet href='CANARY/j'><link rel=prefetch href='CANARY/k'>",
    "<meta http-equiv=refresh content='0;url=CANARY/l'><base href='CANARY/'><img src=m>",
    "<object data='CANARY/n'></object><embed src='CANARY/o'><input type=image src='CANARY/p'>",
    "</pre></code></title></style><script>owned = 1</script><img src=CANARY/q>",
    "![q](CANARY/r) ![r][s]\n\n[s]: CANARY/s\n\n- x\n\n  ```\n<script>owned = 1</script>\n",
    "```\n<b>\n~~~\n```\n<details><summary>x</summary>\n```\n<script>owned = 1</script>\n```",
]


def notebook(folder: Path, payload: str) -> Path:
    """Write a notebook that has the payload at every place where text can stand."""
    data = base64.b64encode(payload.encode()).decode()
    kinds = ["text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml"]
    kinds += ["application/javascript", "text/vnd.mermaid", "application/vnd.vegalite.v6+json"]
    outputs = [{"output_type": "display_data", "data": {kind: payload}} for kind in kinds]
    outputs += [{"output_type": "display_data", "data": {"image/png": data}}]
    outputs += [{"output_type": "stream", "name": "stdout", "text": payload}]
    error = {"ename": payload, "evalue": payload, "traceback": [payload]}
    outputs += [{"output_type": "error"} | error]
    cells = [
        {"cell_type": "markdown", "source": payload, "attachments": {payload: {payload: payload}}},
        {"cell_type": "code", "source": payload, "outputs": outputs},
        {"cell_type": "raw", "source": payload, "metadata": {"raw_mimetype": "text/html"}},
    ]
    metadata = {"title": payload, "widgets": {"application/vnd.jupyter.widget-state+json": payload}}
    metadata["language_info"] = {"name": payload, "pygments_lexer": payload}
    path = folder / "hostile.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells, "metadata": metadata}))
    return path


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Callable[[str], list[str]]:
    """Return `shown(html)`: what a page did that it should not have done."""

    def show(html: str) -> list[str]:
        faults: list[str] = []
        path = tmp_path / "page.html"
        path.write_text(html)
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        page: Page = context.new_page()
        page.on("dialog", lambda dialog: (faults.append("dialog"), dialog.dismiss()))
        page.on("popup", lambda _: faults.append("popup"))
        page.goto(path.as_uri(), wait_until="networkidle")
        if page.evaluate("typeof owned !== 'undefined'"):
            faults.append("a script ran")
        if page.locator("script, iframe, object, embed, link, base, form, input, video").count():
            faults.append("an element that acts")
        context.close()
        return faults

    return show


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("form", [Form.HTML, Form.MARKDOWN])
def test_a_document_of_strangers_does_nothing(
    shown: Callable[[str], list[str]], canary: Canary, tmp_path: Path, payload: str, form: Form
) -> None:
    made = export(notebook(tmp_path, payload.replace("CANARY", canary.url)), form)
    said = made.data.decode()
    # The most careless reader of Markdown there is: tags are tags, and links may be scripts.
    page = said if form is Form.HTML else str(mistune.create_markdown(escape=False)(said))
    assert shown(page) == []
    if form is Form.HTML:  # and without the policy that a browser keeps for us
        assert shown(page.replace("Content-Security-Policy", "x")) == []
    assert canary.calls == []


def test_the_payloads_act_where_nothing_stops_them(
    shown: Callable[[str], list[str]], canary: Canary
) -> None:
    page = f"<body>{''.join(PAYLOADS[:2]).replace('CANARY', canary.url)}</body>"
    assert "a script ran" in shown(page)
    assert canary.calls != []
