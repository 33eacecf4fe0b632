"""A web server of our own, on this machine only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """A server that answers by path and remembers what it was asked."""

    port: int
    answers: dict[str, Answer | Callable[[Any], None]] = field(default_factory=dict)
    #: (method, path, headers, body) of every request.
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> list[str]:
        return [f"127.0.0.1:{self.port}"]


@pytest.fixture
def make_site() -> Iterator[Callable[[], Site]]:
    """Return a function that starts a site on a free port of the loopback."""
    servers: list[ThreadingHTTPServer] = []

    def make() -> Site:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler())
        site = server.site = Site(server.server_address[1])
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return site

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """Return a running site."""
    return make_site()


def _handler() -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            site = self.server.site
            headers = {k.lower(): v for k, v in self.headers.items()}
            site.requests.append((self.command, self.path, headers, self.rfile.read(size)))
            found = site.answers.get(self.path, (404, {}, b"nothing here"))
            if callable(found):
                found(self)
                return
            status, headers, body = found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815  the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
