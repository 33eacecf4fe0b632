"""What environment variables hold in secret is cut out of texts that leave the machine."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus, unquote

#: What stands where a secret stood.
HIDDEN: Final = "[secret]"
#: Shorter values are left alone: they would cut up ordinary words, and are no secrets.
_SHORTEST: Final = 6
_NAMED_LIKE_SECRETS: Final = re.compile(
    r"(?:\A|_)(?:API)?(?:KEY|TOKEN|SECRET|PASSPHRASE|CREDENTIALS?)\Z|PASSWORD|PASSWD"
    r"|_(?:PASS|PWD|PAT)\Z",
    re.IGNORECASE,
)
#: The password in an address, as in `postgres://anna:PASSWORD@host/db`.
_IN_ADDRESS: Final = re.compile(r"://[^\s/?#@:]*:([^\s/?#@]+)@")


def redactor(
    environment: Mapping[str, str], named: Collection[str] = (), headers: Collection[str] = ()
) -> Callable[[str], str]:
    """Return what cuts the secrets of an environment out of a text.

    Secret is what variables hold that are named so: `..._KEY`, `..._TOKEN`, `..._SECRET`, or with
    `PASSWORD` in the name; and the password in any address, as in `postgres://anna:PASSWORD@host`.
    It is found as it is, and as base64, JSON, HTML and URLs spell it.

    Args:
        environment: Values by name.
        named: Further variables that hold secrets.
        headers: Variables that hold secret headers, `NAME=VALUE,NAME=VALUE`.
    """
    secrets = [
        secret
        for name, value in environment.items()
        for secret in _secrets(value, whole=name in {*named, *headers} or _is_secret(name))
    ]
    secrets += [secret for name in headers for secret in _in_headers(environment.get(name, ""))]
    spelled = {spelling for secret in secrets for spelling in _spellings(secret)}
    if not spelled:
        return str
    longest_first = sorted(spelled, key=lambda text: (-len(text), text))
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(HIDDEN, text)


def _is_secret(name: str) -> bool:
    return _NAMED_LIKE_SECRETS.search(name) is not None


def _secrets(value: str, *, whole: bool) -> Iterator[str]:
    """Return what is secret in a value: all of it, or the passwords of addresses in it."""
    if whole:
        yield value
    for password in _IN_ADDRESS.findall(value):
        yield password
        yield unquote(password)


def _in_headers(value: str) -> Iterator[str]:
    """Return the values of headers; of one such as `Bearer TOKEN` the token by itself too."""
    for header in value.split(","):
        _, _, content = header.partition("=")
        yield content
        yield content.rpartition(" ")[2]


def _spellings(value: str) -> Iterator[str]:
    """Return how a value may be spelled; of one with several lines each counts by itself too."""
    for part in {value, value.strip(), *map(str.strip, value.splitlines())}:
        if len(part) < _SHORTEST:
            continue
        raw = part.encode("utf-8", "surrogateescape")
        yield part
        yield quote(raw, safe="")
        yield quote_plus(raw)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield repr(part)[1:-1]
        yield escape(part)
        yield base64.b64encode(raw).decode().rstrip("=")
        yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
