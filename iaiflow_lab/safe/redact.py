"""Secrets are cut out of what is written: those of the environment, and those that runs resolved.

A secret is found as it is and as base64 (wherever it begins), hex, JSON, HTML, URLs and Python
spell it. What compresses or encrypts it hides it from here, too.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus, unquote

#: What stands where a secret stood.
HIDDEN: Final = "[secret]"
#: Shorter values, in characters, are left alone: they would cut up ordinary words.
SHORTEST: Final = 6
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
    hider = environment_hider(environment, named, headers)
    return hider.text if hider else str


def environment_hider(
    environment: Mapping[str, str], named: Collection[str] = (), headers: Collection[str] = ()
) -> Hider:
    """Return what cuts the same out of texts and data.

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
    hider = Hider()
    hider.add(*secrets)
    return hider


class Hider:
    """Cuts the secrets that it was told of out of all that it is given; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        #: Every spelling of every secret, the longest first.
        self._spelled: Sequence[str] = ()
        self._raw: Sequence[bytes] = ()
        #: The same in the order of their letters, to look up beginnings.
        self._ordered: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to cut out."""
        return bool(self._spelled)

    def add(self, *values: str) -> None:
        """Cut these out, too, from now on."""
        with self._lock:
            if self._values.issuperset(values):
                return
            self._values.update(values)
            found = {*self._spelled, *(s for value in values for s in _spellings(value))}
            spelled = sorted(found, key=lambda text: (-len(text), text))
            self._raw = [text.encode("utf-8", "surrogateescape") for text in spelled]
            self._ordered = sorted(spelled)
            self._spelled = spelled

    def text(self, text: str) -> str:
        """Return `text` with `HIDDEN` where a secret stood."""
        found = [spelling for spelling in self._spelled if spelling in text]
        return _any_of(found).sub(HIDDEN, text) if found else text

    def is_in(self, data: bytes | memoryview) -> bool:
        """Say whether a secret stands in `data`, which is not compressed."""
        if not self._raw:
            return False
        content = bytes(data)
        return any(spelling in content for spelling in self._raw)

    def content(self, data: bytes) -> bytes:
        """Return the bytes of a file without secrets; where it is no text, its length stays."""
        found = [spelling for spelling in self._raw if spelling in data]
        if not found:
            return data
        pattern = re.compile(b"|".join(map(re.escape, found)))
        try:
            data.decode()
        except UnicodeDecodeError:
            return pattern.sub(lambda found: b"*" * len(found[0]), data)
        return pattern.sub(HIDDEN.encode(), data)

    def data(self, value: Any) -> Any:
        """Return a JSON value without secrets in its texts and keys; itself when it has none."""
        if not self._spelled:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.content(value)
        if isinstance(value, list | tuple):
            items = cast("Sequence[Any]", value)
            made = [self.data(item) for item in items]
            return items if all(map(_is, made, items)) else made
        if isinstance(value, dict):
            entries = cast("dict[Any, Any]", value)
            pairs = [(self.data(key), self.data(item)) for key, item in entries.items()]
            same = all(map(_is, [item for pair in pairs for item in pair], _flat(entries)))
            return entries if same else dict(pairs)
        return value

    def _begins(self, rest: str) -> bool:
        """Say whether a secret begins with `rest` and goes on."""
        ordered = self._ordered
        place = bisect_right(ordered, rest)
        return place < len(ordered) and ordered[place].startswith(rest)

    def stream(self) -> Stream:
        """Return what hides secrets in a text that comes in pieces."""
        return Stream(self)

    def clipped(self, text: str) -> str:
        """Return a text whose rest is missing, without the beginning of a secret at its end."""
        return self.stream().feed(text)

    def split(self, text: str) -> int:
        """Return where the beginning of a secret stands that the text may go on with.

        That is its length when there is none.
        """
        if not self._spelled:
            return len(text)
        held = [spelling for spelling in self._spelled if spelling in text]
        whole = [found.span() for found in _any_of(held).finditer(text)] if held else []
        for place in range(max(0, len(text) - len(self._spelled[0]) + 1), len(text)):
            if self._begins(text[place:]) and not any(s < place < e for s, e in whole):
                return place
        return len(text)


class Stream:
    """Hides secrets in a text that comes in pieces, also those that stand in two of them.

    What may be the beginning of a secret is held until the next piece, or the end, says whether
    it is.
    """

    def __init__(self, hider: Hider) -> None:
        self._hider = hider
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take a piece and return what can be shown by now."""
        text = self._held + piece
        place = self._hider.split(text)
        self._held = text[place:]
        return self._hider.text(text[:place])

    def end(self) -> str:
        """Return what was held, and forget it."""
        rest, self._held = self._hider.text(self._held), ""
        return rest


#: Knows every secret that this process has resolved: what it writes of a run passes here first.
RESOLVED: Final = Hider()


def _any_of(spelled: Sequence[str]) -> re.Pattern[str]:
    """Return what finds spellings, the longest first where several begin."""
    return re.compile("|".join(map(re.escape, spelled)))


def _is(made: Any, given: Any) -> bool:
    return made is given


def _flat(entries: Mapping[Any, Any]) -> Iterator[Any]:
    for pair in entries.items():
        yield from pair


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
        if len(part) < SHORTEST:
            continue
        raw = part.encode("utf-8", "surrogateescape")
        yield part
        yield from _in_addresses(raw)
        for plain in (False, True):
            once = json.dumps(part, ensure_ascii=plain)[1:-1]
            yield once
            yield json.dumps(once, ensure_ascii=plain)[1:-1]
        yield repr(part)[1:-1]
        yield repr(raw)[2:-1]
        yield escape(part)
        yield escape(part, quote=False)
        yield raw.hex()
        yield raw.hex().upper()
        yield from _in_base64(raw)


def _in_addresses(raw: bytes) -> Iterator[str]:
    for spelled in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield spelled
        yield re.sub("%..", lambda found: found[0].lower(), spelled)


def _in_base64(raw: bytes) -> Iterator[str]:
    """Return what base64 makes of bytes whatever stands before and after them, and by lines."""
    for before in range(3):
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            spelled = encode(bytes(before) + raw).decode()
            yield spelled[first:last]
            if before == 0:
                yield spelled.rstrip("=")
                for width in (64, 76):
                    lines = [spelled[at : at + width] for at in range(0, len(spelled), width)]
                    yield from (line for line in lines if len(line) == width)
