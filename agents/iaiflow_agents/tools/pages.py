"""The text of a web page, without what only browsers run or draw."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

_SKIPPED: Final = frozenset(
    {"script", "style", "template", "noscript", "svg", "iframe", "object", "select", "canvas"}
)
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "nav", "ol", "p", "pre", "section", "table", "title", "tr", "ul",
})  # fmt: skip
_BLANK: Final = re.compile(r"\s+")
_SPACES: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


def page_text(html: str, address: str) -> str:
    """Return the text of a page; links are followed by their address in parentheses.

    Args:
        html: The page.
        address: Where it comes from, for links that are relative.
    """
    reader = _Reader(address)
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self._address = address
        self._parts: list[str] = []
        #: Open elements whose content is left out.
        self._skipped: list[str] = []
        self._links: list[str] = []
        #: How many open elements keep line ends.
        self._literal = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag in _SKIPPED:
            self._skipped.append(tag)
        elif tag in _BLOCKS:
            self._literal += tag == "pre"
            self._parts.append("\n- " if tag == "li" else "\n")
        elif tag in {"td", "th"}:
            self._parts.append(" | ")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif tag == "img" and not self._skipped:
            self._parts.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in self._skipped:
            while self._skipped.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self._literal -= tag == "pre" and self._literal > 0
            self._parts.append("\n")
        elif tag == "a" and self._links and (target := self._target(self._links.pop())):
            self._parts.append(f" ({target})")

    def handle_data(self, data: str) -> None:
        """Take a text."""
        if not self._skipped:
            self._parts.append(data if self._literal else _BLANK.sub(" ", data))

    def _target(self, link: str) -> str:
        if self._skipped or not link or link.startswith("#"):
            return ""
        try:
            target = urljoin(self._address, link)
        except ValueError:
            return ""
        return target if target.startswith(("http://", "https://")) else ""

    def text(self) -> str:
        """Return what was read, each block on lines of its own."""
        return _LINES.sub("\n", _SPACES.sub(" ", "".join(self._parts))).strip()
