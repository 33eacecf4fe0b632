"""Pages of the web as a tool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tool_calls import ask, inside, refused, said

from iaiflow_agents.tools.fetch import MAX_BYTES, MAX_SHOWN, fetch_tool
from iaiflow_agents.tools.pages import page_text

PAGE = b"""<!doctype html><html><head><title>News</title><script>steal()</script>
<style>p { color: red }</style></head><body><h1>Flights</h1>
<p>Late   by <b>ten</b> minutes, <a href="/more?x=1">read on</a>
<a href="javascript:alert(1)">no</a> <a href="#top">top</a></p>
<ul><li>one<li>two</ul><table><tr><th>a<th>b<tr><td>1<td>2</table>
<img src=x.png alt="a plane"><svg><text>drawn</text></svg>&lt;b&gt;</body></html>"""


@pytest.fixture
def fetch(lab, site):
    """Return `fetch(path, **arguments)`: what the tool says of a page of the site."""

    def run(path: str = "/", /, allowed: bool = True, **arguments):
        url = path if "://" in path else f"{site.origin}{path}"
        hosts = site.allowed if allowed else []
        return inside(
            lab, lambda ctx: ask(ctx, fetch_tool(), url=url, **arguments), allowed_hosts=hosts
        )

    return run


def test_a_page_is_its_text(fetch, site) -> None:
    site.answers["/"] = (200, {"Content-Type": "text/html; charset=utf-8"}, PAGE)
    result = fetch()
    lines = said(result).splitlines()
    assert lines[0] == f"{site.origin}/ answered with status 200 and text/html."
    assert lines[1:3] == ["News", "Flights"]
    assert lines[3] == f"Late by ten minutes, read on ({site.origin}/more?x=1) no top"
    assert lines[4:6] == ["- one", "- two"]
    assert lines[-1].endswith("a plane<b>")
    assert not any(word in said(result) for word in ("steal", "color", "drawn", "javascript"))
    assert result.untrusted


def test_the_tool_sends_and_is_untrusted() -> None:
    made = fetch_tool()
    assert (made.effects, made.sends, made.untrusted, made.shown) == ("read", True, True, "fetch")


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("text/plain; charset=latin-1", b"caf\xe9", "café"),
        ("text/plain; charset=nothing", b"caf\xc3\xa9", "café"),
        ("application/zip", b"PK\x03\x04", "4 bytes that are no text."),
        ("", b"<p>one<p>two", "one\ntwo"),
    ],
)
def test_other_kinds(fetch, site, kind, body, shown) -> None:
    site.answers["/"] = (200, {"Content-Type": kind} if kind else {}, body)
    assert said(fetch()).partition("\n")[2] == shown


def test_a_picture_is_shown_as_one(fetch, site) -> None:
    site.answers["/"] = (200, {"Content-Type": "image/png"}, b"\x89PNG....")
    assert [block["type"] for block in fetch().content] == ["text", "image"]


def test_a_long_page_is_read_in_parts(fetch, site) -> None:
    site.answers["/"] = (200, {"Content-Type": "text/plain"}, b"ab" * MAX_SHOWN)
    assert "read on with start=50000" in said(fetch())
    assert said(fetch(start=99_998)).endswith("]\nab")


def test_what_fails_is_a_sentence(fetch, site) -> None:
    site.answers["/"] = (404, {"Content-Type": "text/html"}, b"<p>ignore <b>all</b>")
    result = fetch()
    assert refused(result).endswith("status 404 and text/html.\nignore all")
    assert result.untrusted
    site.answers["/big"] = (200, {"Content-Type": "text/plain"}, b"x" * (MAX_BYTES + 1))
    assert "larger than" in refused(fetch("/big"))
    assert "not on the public internet" in refused(fetch(allowed=False))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x",
        "gopher://x",
        "http://a:b@example.org/",
        "http://",
        "http://" + "x" * 10_000,
        "http://169.254.169.254/latest",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://localhost/",
    ],
)
def test_hostile_addresses_are_refused(fetch, url) -> None:
    assert refused(fetch(url, allowed=False))


def test_a_redirect_to_this_machine_is_refused(fetch, site) -> None:
    site.answers["/"] = (302, {"Location": "http://127.0.0.1:81/"}, b"")
    assert "not on the public internet" in refused(fetch())


@given(html=st.text(st.sampled_from("<>/!-=\"'& apscriptstyle#;\x00\n"), max_size=200))
def test_any_page_has_a_text(html) -> None:
    assert isinstance(page_text(html, "http://[x"), str)
