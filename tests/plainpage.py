"""The canvas on a plain page with a kernel inside of it, and a server that notices callers."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page

FOLDER = Path(__file__).parents[1] / "extension" / "testpage"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Call:
    """What somebody asked of a canary."""

    #: `connected`, or the request's method and path.
    what: str
    #: The caller's address and process, for whoever reads a failure.
    who: str = field(compare=False)


class Canary:
    """A server on a free port that answers everything, and notes whoever so much as connects.

    Its port is none that systems give out by themselves: somebody may still call the last who had
    such a one, as the clients of a kernel do.
    """

    def __init__(self) -> None:
        self._server = _listen()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Address without a slash at its end."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def calls(self) -> list[Call]:
        """Every connection and every request so far."""
        return self._server.calls

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _listen() -> _Listener:
    for port in random.sample(range(20_000, 32_000), 100):
        with suppress(OSError):  # somebody has it
            return _Listener((HOST, port), _Answer)
    return pytest.fail("No port is free.")


class _Listener(ThreadingHTTPServer):
    def __init__(self, *rest: Any) -> None:
        super().__init__(*rest)
        self.calls: list[Call] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.calls.append(Call("connected", _caller(client_address[1], self.server_address[1])))
        super().process_request(request, client_address)


def _caller(theirs: int, ours: int) -> str:
    """Say whose connection it is that goes from their port to ours."""
    with suppress(psutil.Error):
        for known in psutil.net_connections("tcp"):
            is_it = known.laddr.port == theirs and known.raddr and known.raddr.port == ours
            if is_it and known.pid is not None:
                process = psutil.Process(known.pid)
                command = " ".join(process.cmdline())[:2_000]
                return f"port {theirs}, process {known.pid}, {process.name()}: {command}"
    return f"port {theirs}, of a process that is not known"


class _Answer(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.server.calls.append(Call(f"{self.command} {self.path}", str(self.client_address)))
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = do_OPTIONS = answer  # noqa: N815  names that http.server looks for

    def log_message(self, *_: Any) -> None:
        pass


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def is_built() -> bool:
    """Say whether the plain page is there; `npm run build:testpage` in extension/ makes it."""
    return (FOLDER / "dist" / "testpage.js").is_file()


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Return a server that nobody should call."""
    made = Canary()
    yield made
    made.close()


@pytest.fixture(scope="session")
def plain_url() -> Iterator[str]:
    """Return the address of the plain page, with a slash at its end."""
    if not is_built():
        pytest.fail("The plain page is not built: make build.")
    server = ThreadingHTTPServer((HOST, 0), partial(_Files, directory=str(FOLDER)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://{HOST}:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def open_plain(page: Page, plain_url: str) -> Callable[..., Page]:
    """Return `open_plain(flow=None, **parameters)`: the page with a flow, drawn."""
    return partial(show_plain, page, plain_url)


def show_plain(
    page: Page, plain_url: str, flow: dict[str, Any] | None = None, **parameters: str
) -> Page:
    """Open the plain page with a flow, or an empty one; `parameters` are those of its address."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    page.goto(f"{plain_url}?{query}")
    page.wait_for_function("() => window.iai?.link.status.get() === 'ready'", polling=100)
    if flow is not None:
        page.evaluate(
            "text => { iai.controller.document.load(text); return iai.nextFrame(); }",
            json.dumps(flow),
        )
    return page
