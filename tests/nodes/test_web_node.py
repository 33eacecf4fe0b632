from __future__ import annotations

import json
from typing import Any

import pytest
from harness import Secrets, flow
from website import Site

from iaiflow_lab.errors import InputError, LabError, NodeError, NotAllowedError, NotFoundError
from iaiflow_lab.model.flow import Node
from iaiflow_lab.safe.fetch import FetchError
from iaiflow_lab.settings import load_settings


@pytest.fixture
def ask(lab, site: Site):
    """Return `ask(inputs, **config)`: what http.request gives, the site being allowed."""

    def request(inputs: dict[str, Any] | None = None, /, **config: Any) -> Any:
        from harness import MemoryJournal

        lab.journal = MemoryJournal()
        made = flow(
            {"n": Node("http.request", {"url": f"{site.origin}/", **config})},
            *(f"params.{name} -> n.{name}" for name in inputs or {}),
            parameters={name: {"type": "any"} for name in inputs or {}},
        )
        result = lab.run(made, inputs, allowed_hosts=site.allowed)
        if result.exception is not None:
            raise result.exception
        return result.values["n"]

    return request


@pytest.mark.parametrize(
    ("kind", "sent", "read_as", "body"),
    [
        ("application/json", b'{"a": 1}', "auto", {"a": 1}),
        ("application/vnd.api+json; charset=utf-8", b"[1]", "auto", [1]),
        ("text/html", b"<p>", "auto", "<p>"),
        ("text/plain; charset=latin-1", b"caf\xe9", "auto", "café"),
        ("image/png", b"\x89PNG", "auto", b"\x89PNG"),
        ("text/plain", b"\xff\xfe", "auto", b"\xff\xfe"),
        ("text/plain", b"[2]", "json", [2]),
        ("application/json", b"[2]", "text", "[2]"),
        ("application/json", b"[2]", "bytes", b"[2]"),
        ("application/json", b"", "auto", None),
    ],
)
def test_an_answer_is_read_by_its_type(ask, site: Site, kind, sent, read_as, body) -> None:
    site.answers["/"] = (200, {"content-type": kind}, sent)
    answer = ask(read_as=read_as)
    assert (answer["status"], answer["body"]) == (200, body)
    assert answer["headers"]["content-type"] == kind


def test_json_is_sent_with_a_key_that_tells_repetitions(ask, site: Site) -> None:
    site.answers["/"] = (201, {}, b"")
    ask({"data": {"a": [1]}}, method="POST")
    ask({"data": {"a": [1]}}, method="POST")
    (method, _, headers, body), again = site.requests
    assert (method, json.loads(body)) == ("POST", {"a": [1]})
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == again[2]["idempotency-key"]


def test_addresses_and_texts_are_templates(ask, site: Site) -> None:
    site.answers["/a/x"] = (200, {}, b"")
    ask({"name": "x"}, url=f"{site.origin}/a/{{{{name}}}}", method="PUT", body="hello {{name}}")
    assert site.requests[0][1] == "/a/x"
    assert site.requests[0][3] == b"hello x"


def test_secrets_go_into_headers_at_the_last_moment(ask, site: Site, lab) -> None:
    site.answers["/"] = (200, {}, b"")
    lab.secrets = Secrets({"TOKEN": "hunter2"})
    ask(headers={"Authorization": "Bearer secret:TOKEN"})
    assert site.requests[0][2]["authorization"] == "Bearer hunter2"
    assert "hunter2" not in repr(lab.journal.events)
    with pytest.raises(NotFoundError, match="OTHER"):
        ask(headers={"Authorization": "secret:OTHER"})


def test_a_refusal_is_an_error_unless_it_is_asked_for(ask, site: Site) -> None:
    site.answers["/"] = (404, {"content-type": "text/plain"}, b"not here\nat all")
    with pytest.raises(NodeError, match="status 404: not here at all") as caught:
        ask()
    assert caught.value.code == "http-404"
    assert ask(any_status=True)["status"] == 404


def test_bad_requests_are_explained(ask, site: Site) -> None:
    site.answers["/"] = (200, {"content-type": "application/json"}, b"{")
    with pytest.raises(InputError, match="JSON can't be used"):
        ask()
    with pytest.raises(NodeError, match="is no JSON"):
        ask({"data": object()}, method="POST")
    with pytest.raises(NodeError, match="both `data` and `body`"):
        ask({"data": 1}, body="x")
    with pytest.raises(NodeError, match="greater than 0"):
        ask(timeout_s=0)
    site.answers["/"] = (200, {}, b"x" * 2_000)
    with pytest.raises(FetchError, match="larger than"):
        ask(max_mb=0.001)
    with pytest.raises(LabError, match="neither http"):
        ask(url="file:///etc/passwd")
    site.answers["/"] = (200, {}, b"\xff")
    with pytest.raises(NodeError, match="no utf-8 text"):
        ask(read_as="text")


def test_a_private_host_is_refused_unless_settings_allow_it(call, site: Site, workspace) -> None:
    with pytest.raises(NotAllowedError, match="not on the public internet"):
        call("http.request", url=site.origin)
    (workspace / ".iaiflow").mkdir()
    (workspace / ".iaiflow/config.toml").write_text(f'[fetch]\nallow = ["127.0.0.1:{site.port}"]\n')
    assert list(load_settings(workspace).allowed_hosts) == site.allowed


@pytest.mark.parametrize(
    "text",
    ["fetch = 3", "[fetch]\nallow = 3", "[fetch]\nother = []", '[fetch]\nallow = ["http://x"]'],
)
def test_settings_that_allow_nothing_readable_are_refused(workspace, text: str) -> None:
    (workspace / ".iaiflow").mkdir()
    (workspace / ".iaiflow/config.toml").write_text(text)
    with pytest.raises(InputError):
        load_settings(workspace)
