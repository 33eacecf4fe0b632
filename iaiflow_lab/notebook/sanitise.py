"""Makes what a notebook shows harmless: no script, and nothing that is fetched from elsewhere."""

from __future__ import annotations

import html
import re
from importlib import import_module
from typing import Any, Final

#: Styles that people use to mark text; none of them can name a resource.
_STYLES: Final = frozenset(
    {"background-color", "color", "font-style", "font-weight", "text-align", "text-decoration"}
)
_DROPPED: Final = frozenset({"map", "area"})
_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_IMAGE: Final = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
_FENCE: Final = re.compile(r"(`{3,}(?=[^`\n]*$)|~{3,})")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])(?!https?://|mailto:)", re.IGNORECASE)
_OWN_IMAGE: Final = re.compile(r"!\[[^][]*\]\((?:attachment:|(?!//)[\w./-]+(?=\s*\)))")
_TARGET: Final = re.compile(r"(\]\(\s*<?|^\s{0,3}\[[^\]\n]*\]:\s*<?)([^)\s>]*)", re.MULTILINE)


def clean_html(text: str) -> str:
    """Return HTML without scripts, frames, forms and whatever is loaded from another place.

    Pictures stay when their data stand in the text; links stay, as following one is a choice.
    """
    nh3: Any = import_module("nh3")
    attributes: dict[str, set[str]] = {tag: set(names) for tag, names in _attributes(nh3).items()}
    return nh3.clean(
        text,
        tags=set(nh3.ALLOWED_TAGS) - _DROPPED,
        attributes={**attributes, "*": {"class", "id", "style", "title"}},
        attribute_filter=_attribute,
        filter_style_properties=set(_STYLES),
        url_schemes=_SCHEMES | {"data"},
        link_rel="noopener noreferrer",
    )


def _attributes(nh3: Any) -> dict[str, set[str]]:
    return nh3.ALLOWED_ATTRIBUTES


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value; None drops it."""
    if name == "src":
        return value if tag == "img" and _IMAGE.match(value) else None
    if name in {"href", "cite"}:
        return value if value.startswith("#") or _scheme(value) in _SCHEMES else None
    return value


def clean_markdown(text: str) -> str:
    """Return Markdown in which tags are text and no picture comes from another place.

    Only fenced blocks that start a line are left as they are: whatever contains them, every reader
    takes these as code.
    """
    made: list[str] = []
    prose: list[str] = []
    fence = ""
    for line in text.split("\n"):
        start = _FENCE.match(line)
        if fence:
            made.append(line)
            fence = "" if _closes(line, fence) else fence
        elif start is not None:
            made += [_prose("\n".join(prose)), line] if prose else [line]
            prose, fence = [], start[1]
        else:
            prose.append(line)
    made += [_prose("\n".join(prose))] if prose else []
    return "\n".join([*made, fence] if fence else made)


def _closes(line: str, fence: str) -> bool:
    ending = line.rstrip(" \t")
    return len(ending) >= len(fence) and set(ending) == {fence[0]}


def _prose(text: str) -> str:
    kept: list[str] = []
    end = 0
    for found in _OWN_IMAGE.finditer(text):
        kept += [text[end : found.start()].replace("![", "&#33;["), found[0]]
        end = found.end()
    text = "".join(kept) + text[end:].replace("![", "&#33;[")
    return _TARGET.sub(_target, _TAG.sub("&lt;", text))


def _target(found: re.Match[str]) -> str:
    target = html.unescape(found[2]).replace("\\", "")
    scheme = _scheme(target)
    is_kept = not scheme or scheme in _SCHEMES | {"attachment"}
    return found[0] if is_kept else f"{found[1]}#"


def _scheme(url: str) -> str:
    """Return the scheme of an address in lower case; "" when it has none."""
    visible = "".join(character for character in url if character.isprintable()).strip()
    scheme, colon, _ = visible.partition(":")
    return scheme.lower() if colon and not set(scheme) & set("/?#") else ""


def fenced(text: str, language: str = "") -> str:
    """Return a block of code that no text in it can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    word = language if re.fullmatch(r"[\w+#.-]*", language) else ""
    return f"{fence}{word}\n{text}\n{fence}"
