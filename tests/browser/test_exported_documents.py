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
from playwright.sync_api import Browser

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
def shown(browser: Browser, tmp_path: Path) -> Callable[..., list[str]]:
    """Return `shown(*html)`: what pages did that they should not have done."""

    def show(*html: str) -> list[str]:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        faults = [(context.new_page(), []) for _ in html]
        for number, (page, found) in enumerate(faults):
            path = tmp_path / f"page-{number}.html"
            path.write_text(html[number])
            page.on("dialog", lambda dialog, to=found: (to.append("a dialog"), dialog.dismiss()))
            page.on("popup", lambda _, found=found: found.append("a popup"))
            page.goto(path.as_uri())  # until it is loaded; and then, all at the same time,
        for page, found in faults:
            page.wait_for_load_state("networkidle")
            if page.evaluate("typeof owned !== 'undefined'"):
                found.append("a script ran")
            if page.locator(ACTING).count():
                found.append("an element that acts")
        context.close()
        return [f"{fault} in page {at}" for at, (_, found) in enumerate(faults) for fault in found]

    return show


ACTING = "script, iframe, object, embed, link, base, form, input, video"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_document_of_strangers_does_nothing(
    shown: Callable[..., list[str]], canary: Canary, tmp_path: Path, payload: str
) -> None:
    source = notebook(tmp_path, payload.replace("CANARY", canary.url))
    html = export(source, Form.HTML).data.decode()
    without_policy = html.replace("Content-Security-Policy", "x")  # which a browser keeps for us
    # The most careless reader of Markdown there is: tags are tags, and links may be scripts.
    careless = mistune.create_markdown(escape=False)
    markdown = careless(export(source, Form.MARKDOWN).data.decode())
    assert shown(html, without_policy, str(markdown)) == []
    assert canary.calls == []


def test_the_payloads_act_where_nothing_stops_them(
    shown: Callable[..., list[str]], canary: Canary
) -> None:
    page = f"<body>{''.join(PAYLOADS[:2]).replace('CANARY', canary.url)}</body>"
    assert "a script ran in page 0" in shown(page)
    assert canary.calls != []
