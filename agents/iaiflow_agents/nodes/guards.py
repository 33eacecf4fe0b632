"""Guards: values go on by one port when they may, and by the other one when they may not."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypedDict, cast, get_args

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.sdk.annotations import Json
from iaiflow_lab.sdk.node import node

Kind = Literal["email", "phone", "card", "iban", "ip", "ssn", "cccd", "key"]

_PATTERNS: Final[dict[Kind, re.Pattern[str]]] = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
    "key": re.compile(
        r"\b(?:sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{16,}|gh[oprsu]_\w{20,}|github_pat_\w{20,}"
        r"|glpat-[\w-]{20,}|hf_\w{30,}|AIza[\w-]{35}|A[KS]IA[0-9A-Z]{16}|xox[abeprs]-[\w-]{10,}"
        r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]*-----END [A-Z ]*PRIVATE KEY-----)?"
    ),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "card": re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d.])"),
    "ssn": re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"),
    "cccd": re.compile(r"(?<!\d)0\d{2}[0-3]\d{8}(?!\d)"),
    "ip": re.compile(
        r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
        r"|(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"
    ),
    # with the country before, or a 0; Vietnam's mobiles with a bare 84; North America's as 3-3-4
    "phone": re.compile(
        r"(?<![\w.])(?<!\d )"
        r"(?:\(?(?:\+\d{1,3}[ .-]?|0|84(?=[35789]\d{8}\b))(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}"
        r"|(?:1[ .-])?(?:\([2-9]\d{2}\) ?[2-9]\d{2}[ .-]|[2-9]\d{2}([.-])[2-9]\d{2}\1)\d{4})(?!\w)"
    ),
}


class Guarded(TypedDict, total=False):
    """One of the first two is present; the branch behind the other is skipped."""

    passed: Any
    failed: Any
    #: What was found, one entry for each place; never the text itself.
    found: Json


@node("guard.pii", category="Agents", title="Guard personal data")
def pii(
    text: str, *, kinds: list[Kind] | None = None, action: Literal["block", "mask"] = "block"
) -> Guarded:
    """Hold back texts with personal data and keys, or mask those places.

    It finds what has a form: mail addresses, phone numbers, cards and accounts with their check
    digits, addresses of machines, numbers of persons, keys of services. Names have none.

    Args:
        text: Any text.
        kinds: Which kinds: email, phone, card, iban, ip, ssn, cccd (Vietnam), key; all when left
            out.
        action: Whether such a text goes to `failed`, or to `passed` with the places masked.
    """
    wanted = kinds or list(get_args(Kind))
    places = _places(text, wanted)
    found = [{"kind": kind, "start": start, "length": end - start} for start, end, kind in places]
    if not places:
        return {"passed": text, "found": []}
    if action == "block":
        return {"failed": text, "found": found}
    parts: list[str] = []
    at = 0
    for start, end, kind in places:
        parts += [text[at:start], f"[{kind}]"]
        at = end
    return {"passed": "".join([*parts, text[at:]]), "found": found}


@node("guard.schema", category="Agents", title="Guard by schema")
def schema(value: Json, *, schema: dict[str, Any]) -> Guarded:
    """Hold back values that do not fit a JSON Schema.

    Args:
        value: Any JSON value.
        schema: What it has to be.
    """
    found = [
        {"place": spell_place(wrong.path), "message": wrong.message}
        for wrong in violations(value, schema)
    ]
    return {"failed": value, "found": found} if found else {"passed": value, "found": []}


@node("guard.allow", category="Agents", title="Guard by list")
def allow_list(value: Any, *, allowed: list[str], ignore_case: bool = True) -> Guarded:
    """Hold back texts that are not on a list; of a list of texts, all have to be.

    Args:
        value: A text, or a list of texts.
        allowed: What may pass; `*` stands for any text, such as `*@example.org`.
        ignore_case: Whether capitals mean nothing.
    """
    given: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in given):
        raise NodeError(
            "Only texts, or a list of texts, are looked up.",
            where="value",
            remedy="Pick the texts out of the value first.",
            code="input-type",
        )
    spelled: Callable[[str], str] = str.casefold if ignore_case else str
    patterns = [spelled(pattern) for pattern in allowed]
    outside = [
        {"index": index}
        for index, item in enumerate(given)
        if not any(fnmatchcase(spelled(item), pattern) for pattern in patterns)
    ]
    if outside:
        return {"failed": value, "found": outside}
    return {"passed": value, "found": []}


def _places(text: str, kinds: Sequence[Kind]) -> list[tuple[int, int, Kind]]:
    """Return where such data stands, first to last; of those that overlap, the first kind."""
    found: list[tuple[int, int, Kind]] = []
    for kind, pattern in _PATTERNS.items():
        if kind not in kinds:
            continue
        fitting: list[tuple[int, int, Kind]] = [
            (match.start(), match.end(), kind)
            for match in pattern.finditer(text)
            if _CHECKS.get(kind, bool)(match[0])
        ]
        found = sorted([*found, *(place for place in fitting if _is_free(place, found))])
    return found


def _is_free(place: tuple[int, int, Kind], found: Sequence[tuple[int, int, Kind]]) -> bool:
    """Say whether a place overlaps none of those that are found, which are in order."""
    start, end, _ = place
    after = bisect_left(found, start, key=lambda other: other[1] - 1)
    return after == len(found) or end <= found[after][0]


def _is_card(text: str) -> bool:
    """Say whether the check digit of a card's number is right (Luhn)."""
    digits = [int(sign) for sign in text if sign.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Say whether the check digits of an account's number are right (ISO 13616)."""
    plain = text.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(sign.isdigit() for sign in text)  # `::` and `a::b` are names in programs


def _is_phone(text: str) -> bool:
    return 9 <= sum(sign.isdigit() for sign in text) <= 15


_CHECKS: Final[dict[Kind, Callable[[str], bool]]] = {
    "card": _is_card,
    "iban": _is_iban,
    "ip": _is_ip,
    "phone": _is_phone,
}
