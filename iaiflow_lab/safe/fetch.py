"""The one way to fetch an address that somebody else wrote.

A host name is resolved once, every address it has must be public, and the connection goes to the
address that was checked: a name that later points elsewhere changes nothing. Each redirect is
checked in the same way and takes no credentials to another origin. Proxies and credentials of the
environment are not used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from socket import SOCK_STREAM
from typing import TYPE_CHECKING, Final

from iaiflow_lab.errors import InputError, LabError, NotAllowedError
from iaiflow_lab.safe.address import is_allowed, is_never_meant, is_public

if TYPE_CHECKING:
    import httpx

#: Longest address, in characters.
MAX_URL: Final = 8_192
#: How many redirects are followed.
MAX_REDIRECTS: Final = 5

#: Ports of other services, which would take a request for words of their own; browsers refuse them
#: as well (https://fetch.spec.whatwg.org/#port-blocking).
_OTHERS: Final = frozenset({
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
})  # fmt: skip
#: Headers that a redirect to another origin keeps; all others may be credentials.
_NEUTRAL: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "host", "user-agent", "connection"}
)

#: Returns the addresses of a host, for connections to a port.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class FetchError(LabError):
    """An address could not be fetched; trying again later may help."""

    code = "fetch-failed"
    exit_code = 1
    http_status = 502


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer of a server."""

    #: HTTP status, such as 200.
    status: int
    #: Headers, names in lower case; several of one name are joined by commas.
    headers: Mapping[str, str]
    #: The content, decompressed.
    body: bytes
    #: The address that answered, after redirects.
    url: str
    #: The text encoding that the server names, else UTF-8.
    encoding: str


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the system finds for `host`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def safe_fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    allowed: Collection[str] = (),
    timeout: float = 30.0,
    max_bytes: int = 10_000_000,
    resolver: Resolver = resolve,
) -> Fetched:
    """Send one HTTP request and return the answer, whatever its status is.

    Args:
        url: An http or https address.
        method: The HTTP method.
        headers: Headers to send.
        content: The body to send.
        allowed: Hosts (`name` or `name:port`) that may be reached although they are not public.
        timeout: Longest time for everything, in seconds.
        max_bytes: Largest body that is read, decompressed.
        resolver: Returns the addresses of a host.

    Raises:
        InputError: The address is not one that can be fetched.
        NotAllowedError: The host, or one it redirects to, is not on the public internet.
        FetchError: The server cannot be reached, is too slow, or answers with too much.
    """
    import httpx

    transport = _pinned_transport(allowed, resolver)
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout) as client,
        ):
            request = _build(client, method, url, headers, content)
            return await _follow(client, request, max_bytes)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FetchError(
            f"The server did not answer within {timeout:g} seconds.",
            where=_shown(url),
            remedy="Try again, or allow more time",
            code="fetch-timeout",
        ) from error
    except httpx.HTTPError as error:
        raise FetchError(
            f"The address can't be fetched: {str(error) or type(error).__name__}.",
            where=_shown(url),
            remedy="Check the address and the network",
        ) from error


def _build(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    content: bytes | None,
) -> httpx.Request:
    _checked(url)
    try:
        return client.build_request(method, url, headers=headers, content=content)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The request can't be sent: {error}.",
            where=_shown(url),
            remedy="Header names and values are plain ASCII text",
        ) from error


async def _follow(client: httpx.AsyncClient, request: httpx.Request, max_bytes: int) -> Fetched:
    for _ in range(MAX_REDIRECTS + 1):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.next_request is None:
                return await _read(response, max_bytes)
            request = _redirected(request, response.next_request)
        finally:
            await response.aclose()
    raise FetchError(
        f"The server redirects more than {MAX_REDIRECTS} times.", where=request.url.host
    )


def _redirected(request: httpx.Request, target: httpx.Request) -> httpx.Request:
    _checked(str(target.url))
    before, after = request.url, target.url
    if (before.scheme, before.host, before.port) == (after.scheme, after.host, after.port):
        return target
    if target.headers.get("content-length", "0") != "0" or "transfer-encoding" in target.headers:
        raise NotAllowedError(
            f"The server redirects to another host ({after.host}), and what is sent stays with "
            f"{before.host}.",
            remedy="Send it to the final address",
            code="fetch-refused",
        )
    for name in list(target.headers):
        if name.lower() not in _NEUTRAL:
            del target.headers[name]
    return target


async def _read(response: httpx.Response, max_bytes: int) -> Fetched:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise FetchError(
                f"The answer is larger than {max_bytes:,} bytes.",
                where=_shown(str(response.url)),
                remedy="Allow more, or ask for less",
                code="fetch-too-large",
            )
    return Fetched(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=b"".join(parts),
        url=str(response.url),
        encoding=response.charset_encoding or "utf-8",
    )


def _pinned_transport(allowed: Collection[str], resolver: Resolver) -> httpx.AsyncBaseTransport:
    """Return a transport that connects only to addresses that were checked."""
    import httpx

    class Pinned(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self._inner = httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            host = request.url.host
            port = request.url.port or (443 if request.url.scheme == "https" else 80)
            addresses = await _checked_addresses(host, port, allowed, resolver)
            for address in addresses[:-1]:
                try:
                    return await self._send(request, address)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
            return await self._send(request, addresses[-1])

        async def _send(self, request: httpx.Request, address: str) -> httpx.Response:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,  # `Host` is the name, not the address
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
            return await self._inner.handle_async_request(pinned)

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Pinned()


async def _checked_addresses(
    host: str, port: int, allowed: Collection[str], resolver: Resolver
) -> Sequence[str]:
    try:
        addresses = await resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise FetchError(
            f"The host {host!r} is not known.", remedy="Check the address and the network"
        ) from error
    if not addresses:
        raise FetchError(f"The host {host!r} has no address.")
    if is_allowed(host, port, allowed):
        return addresses
    found = {address: ipaddress.ip_address(address.partition("%")[0]) for address in addresses}
    refused = [address for address in addresses if not is_public(found[address])]
    worst = next((address for address in refused if is_never_meant(found[address])), "")
    if refused:
        raise NotAllowedError(
            f"The host {host!r} is not on the public internet ({worst or refused[0]}).",
            remedy="Name a server on the public internet" if worst else _how_to_allow(host, port),
            code="fetch-refused",
        )
    return addresses


def _how_to_allow(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f'To allow it, write [fetch] allow = ["{shown}:{port}"] in config.toml'


def _checked(url: str) -> str:
    import httpx

    if len(url) > MAX_URL:
        raise _refused(url, f"it is longer than {MAX_URL:,} characters")
    try:
        parsed = httpx.URL(url)
        port = parsed.port
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise _refused(url, str(error).rstrip(".")) from None
    if parsed.scheme not in {"http", "https"}:
        raise _refused(url, "it begins with neither http:// nor https://")
    if not parsed.host:
        raise _refused(url, "it names no host")
    if "%" in parsed.host:
        raise _refused(url, "its host is no name")
    if port is not None and not 0 < port < 65_536:
        raise _refused(url, f"port {port} does not exist")
    if port in _OTHERS:
        raise _refused(url, f"port {port} belongs to another service than the web")
    if parsed.userinfo:
        raise _refused(url, "it holds a user name or password; send them in a header")
    return url


def _refused(url: str, why: str) -> InputError:
    return InputError(
        f"The address can't be fetched: {why}.",
        where=_shown(url),
        remedy="Write an address such as https://example.org/data.csv",
        code="url-invalid",
    )


def _shown(url: str) -> str:
    """Return the address without what may be secret in it: user, password and query."""
    plain = url.partition("?")[0].partition("#")[0]
    scheme, slashes, rest = plain.partition("//")
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"
    return repr(shown[:200])[1:-1]


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Return the certificates to trust; reading them takes longer than most requests."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
