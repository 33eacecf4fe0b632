from __future__ import annotations

import asyncio
import gzip
import ipaddress
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from iaiflow_lab.errors import LabError, NotAllowedError
from iaiflow_lab.safe.address import is_allowed, is_public
from iaiflow_lab.safe.fetch import Fetched, FetchError, safe_fetch


def fetch(url: str, **options: Any) -> Fetched:
    return asyncio.run(safe_fetch(url, **options))


def found(*addresses: str):
    async def resolver(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolver


REFUSED_HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::127.0.0.1]",
    "[::8.8.8.8]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1.254",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "0.1.2.3",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "\uff11\uff12\uff17.0.0.1",
]


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_hosts_that_are_not_public_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", connected.append)
    with pytest.raises(LabError) as caught:
        fetch(f"http://{host}/")
    assert connected == []
    is_unknown = "not known" in caught.value.what
    assert is_unknown or caught.value.code in {"fetch-refused", "url-invalid"}


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "2606:4700::1111",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
        "2002:808:808::",
    ],
)
def test_public_addresses_are_public_however_they_are_written(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "neither http"),
        ("example.org", "neither http"),
        ("ftp://example.org/", "neither http"),
        ("file:///etc/passwd", "neither http"),
        ("gopher://example.org", "neither http"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://user:secret@example.org/", "user name or password"),
        ("http://example.org:0/", "port 0"),
        ("http://example.org:99999/", "can't be fetched"),
        ("http://example.org:25/", "port 25 belongs to another service"),
        ("https://example.org:6667/", "port 6667 belongs to another service"),
        ("http://exa mple.org/", "can't be fetched"),
        ("http://example.org/\x00", "can't be fetched"),
        ("http://[::1/", "can't be fetched"),
        ("http://example.org/" + "a" * 9_000, "longer than"),
    ],
)
def test_what_is_no_web_address_is_refused_in_one_sentence(url: str, says: str) -> None:
    with pytest.raises(LabError, match=says) as caught:
        fetch(url, resolver=found("127.0.0.1"))
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(NotAllowedError, match=r"10\.0\.0\.1"):
        fetch("http://mixed.example/", resolver=found("8.8.8.8", "10.0.0.1"))


def test_a_name_is_resolved_once_and_the_checked_address_is_used(site) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    site.answers["/"] = (200, {}, b"hello")
    name = f"pinned.example:{site.port}"
    got = fetch(f"http://{name}/", allowed=[name], resolver=rebinding)
    assert (got.status, got.body, got.url) == (200, b"hello", f"http://{name}/")
    assert asked == ["pinned.example"]
    assert site.requests[0][2]["host"] == name


def test_the_next_address_is_tried_when_the_first_does_not_answer(site) -> None:
    site.answers["/"] = (200, {}, b"hello")
    name = f"two.example:{site.port}"
    # 127.0.0.2 is the loopback too, and nothing listens there
    got = fetch(f"http://{name}/", allowed=[name], resolver=found("127.0.0.2", "127.0.0.1"))
    assert got.body == b"hello"


def test_an_allowed_host_is_reached_and_only_on_its_port(site, make_site) -> None:
    site.answers["/"] = (200, {"content-type": "text/plain; charset=latin-1"}, b"caf\xe9")
    got = fetch(f"{site.origin}/", allowed=site.allowed)
    assert got.body.decode(got.encoding) == "café"
    assert got.headers["content-type"].startswith("text/plain")
    with pytest.raises(NotAllowedError, match=r"\[fetch\] allow"):
        fetch(make_site().origin, allowed=site.allowed)


def test_allowed_names_are_compared_whole() -> None:
    assert is_allowed("Example.org", 80, ["example.org"])
    assert is_allowed("::1", 8123, ["[::1]:8123"])
    assert not is_allowed("example.org.evil", 80, ["example.org"])
    assert not is_allowed("example.org", 81, ["example.org:80"])


def test_a_redirect_into_the_private_network_is_refused(site, make_site) -> None:
    inside = make_site()
    site.answers["/"] = (302, {"location": f"{inside.origin}/secret"}, b"")
    with pytest.raises(NotAllowedError):
        fetch(site.origin, allowed=site.allowed)
    assert inside.requests == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org", "http://a:b@c.org/"])
def test_a_redirect_to_something_else_than_the_web_is_refused(site, target: str) -> None:
    site.answers["/"] = (302, {"location": target}, b"")
    with pytest.raises(LabError):
        fetch(site.origin, allowed=site.allowed)


def test_credentials_stay_with_their_origin(site, make_site) -> None:
    other = make_site()
    other.answers["/there"] = (200, {}, b"arrived")
    site.answers["/"] = (302, {"location": "/near", "set-cookie": "session=1"}, b"")
    site.answers["/near"] = (302, {"location": f"{other.origin}/there"}, b"")
    sent = {"Authorization": "Bearer x", "X-Api-Key": "y", "Accept": "text/plain"}
    got = fetch(site.origin, headers=sent, allowed=[*site.allowed, *other.allowed])
    assert (got.body, got.url) == (b"arrived", f"{other.origin}/there")
    assert site.requests[1][2]["x-api-key"] == "y"
    headers = other.requests[0][2]
    assert headers["accept"] == "text/plain"
    assert headers.keys().isdisjoint({"authorization", "x-api-key", "cookie"})


def test_what_was_posted_is_not_passed_on_to_another_host(site, make_site) -> None:
    other = make_site()
    site.answers["/"] = (307, {"location": f"{other.origin}/"}, b"")
    with pytest.raises(NotAllowedError, match="redirects to another host"):
        fetch(site.origin, method="POST", content=b"x", allowed=[*site.allowed, *other.allowed])
    assert other.requests == []


def test_redirects_without_end_are_given_up(site) -> None:
    site.answers["/"] = (302, {"location": "/"}, b"")
    with pytest.raises(FetchError, match="redirects more than"):
        fetch(site.origin, allowed=site.allowed)


@pytest.mark.parametrize("packed", [False, True])
def test_the_body_is_cut_off_at_its_limit(site, packed: bool) -> None:
    body = b"x" * 2_000_000
    if packed:
        site.answers["/"] = (200, {"content-encoding": "gzip"}, gzip.compress(body))
    else:
        site.answers["/"] = (200, {}, body)
    with pytest.raises(FetchError, match="larger than 1,000,000") as caught:
        fetch(site.origin, allowed=site.allowed, max_bytes=1_000_000)
    assert caught.value.code == "fetch-too-large"
    assert len(fetch(site.origin, allowed=site.allowed).body) == len(body)


def test_a_server_that_is_too_slow_is_left(site) -> None:
    release = threading.Event()
    site.answers["/"] = lambda handler: release.wait(30)
    with pytest.raises(FetchError, match=r"within 0\.2 seconds") as caught:
        fetch(site.origin, allowed=site.allowed, timeout=0.2)
    release.set()
    assert caught.value.code == "fetch-timeout"


def test_a_server_that_is_not_there_is_reported(site) -> None:
    with pytest.raises(FetchError, match="can't be fetched"):
        fetch("http://127.0.0.2:2/", allowed=["127.0.0.2"])


def test_a_host_that_is_not_known_is_reported() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    with pytest.raises(FetchError, match="not known"):
        fetch("http://nowhere.example/", resolver=unknown)


def test_the_environments_proxy_and_credentials_are_not_used(
    site, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.answers["/"] = (200, {}, b"direct")
    assert fetch(site.origin, allowed=site.allowed).body == b"direct"
    assert "authorization" not in site.requests[0][2]


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X": "ü\u2028"}, {"a b": "c"}])
def test_headers_that_cannot_be_sent_are_refused(site, headers: dict[str, str]) -> None:
    with pytest.raises(LabError):
        fetch(site.origin, headers=headers, allowed=site.allowed)
    assert site.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.1",
        "0.0.0.0",
        "168.63.129.16",
        "100.100.100.200",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::]",
        "[::ffff:169.254.169.254]",
    ],
)
def test_nobody_is_told_to_allow_a_metadata_service(host: str) -> None:
    with pytest.raises(NotAllowedError) as caught:
        fetch(f"http://{host}/")
    assert "allow" not in caught.value.remedy
    assert caught.value.remedy


def test_a_name_with_one_such_address_is_not_to_be_allowed() -> None:
    with pytest.raises(NotAllowedError, match=r"169\.254\.169\.254") as caught:
        fetch("http://inner.example/", resolver=found("10.0.0.1", "169.254.169.254"))
    assert "allow" not in caught.value.remedy


def test_the_line_for_the_allow_list_can_be_written_as_it_is() -> None:
    with pytest.raises(NotAllowedError) as caught:
        fetch("http://[::1]:8123/")
    assert '["[::1]:8123"]' in caught.value.remedy
