"""A headless browser for the canvas's benchmarks, and what it shows."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from browser.conftest import FLAGS, chromium

PAGE = Path(__file__).parents[2] / "extension" / "testpage"
_WAIT = 120_000

Page = Any
Browser = Any


def lacks() -> str:
    """Return what is missing to measure, in a sentence; "" when nothing is."""
    if not (os.environ.get("IAIFLOW_CHROMIUM") or shutil.which("chromium")):
        return "The canvas was not measured: Chromium is not installed."
    if not (PAGE / "dist" / "testpage.js").is_file():
        return "The canvas was not measured: its plain page is not built (make build)."
    return ""


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a browser that ends with the block."""
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        stack.callback(started.close)
        yield started


def new_page(started: Browser) -> Page:
    """Return an empty page of its own."""
    page = started.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_WAIT)
    return page


@contextmanager
def plain_page(started: Browser) -> Iterator[Page]:
    """Yield the page that shows a canvas and the naive one, ready."""
    with _served() as url:
        page = new_page(started)
        page.goto(f"{url}?panels=none")
        page.wait_for_function("() => window.iai?.link.status.get() === 'ready'")
        yield page
        page.close()


@contextmanager
def _served() -> Iterator[str]:
    handler = partial(_Quiet, directory=str(PAGE))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass
