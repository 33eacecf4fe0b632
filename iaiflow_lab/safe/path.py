"""The one way from a name that somebody else wrote to a file below a folder of ours."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final

from iaiflow_lab.errors import InputError, NotFoundError

#: Longest part of a name, in bytes of UTF-8: what common file systems can hold.
MAX_PART: Final = 255
#: Longest name, in characters.
MAX_NAME: Final = 1_024

#: Characters that mean something else on one of the systems that a project may be copied to.
_SPECIAL: Final = frozenset('\\:*?"<>|')
_DEVICE: Final = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?", re.IGNORECASE
)
#: Unicode categories of what cannot be seen: control, format, surrogate, private, unassigned, and
#: separators of lines and paragraphs.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_path(root: Path, name: str, *, must_exist: bool = False) -> Path:
    """Return the absolute path of `name` below `root`, links resolved.

    Args:
        root: The folder that must not be left.
        name: A relative path with forward slashes, as a flow file or a request gives it.
        must_exist: Whether something must be there already.

    Raises:
        InputError: The name leads outside, or is not one that every system can hold.
        NotFoundError: `must_exist`, and nothing is there.
    """
    if fault := name_fault(name):
        raise _refused(name, fault)
    base = root.resolve()
    try:
        path = (base / name).resolve()
        missing = must_exist and not path.exists()
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise _refused(name, "it can't be followed to a file") from error
    if not path.is_relative_to(base):
        raise _refused(name, "it leads outside the folder through a link")
    if missing:
        raise NotFoundError(
            f"There is no file {name!r}.",
            where=str(base),
            remedy="Check the spelling; the path starts at this folder.",
            code="file-not-found",
        )
    return path


def name_fault(name: str) -> str:
    """Return why `name` may not name a file below a folder; "" when it may."""
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME:
        return f"it is longer than {MAX_NAME} characters"
    if name.startswith(("/", "~")):
        return "it is not relative"
    parts = name.removeprefix("./").split("/")
    return next((fault for part in parts if (fault := _part_fault(part))), "")


def _part_fault(part: str) -> str:
    if part in {"", ".", ".."}:
        return f"it has the part {part!r}"
    for character in part:
        if fault := _character_fault(character):
            return fault
    if len(part.encode()) > MAX_PART:
        return f"a part of it is longer than {MAX_PART} bytes"
    if part != part.strip(" ") or part.endswith("."):
        return "a part of it begins or ends with a space, or ends with a dot"
    if _DEVICE.fullmatch(part):
        return f"{part!r} is the name of a device on Windows"
    return ""


def _character_fault(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return f"it holds the invisible character U+{ord(character):04X}"
    if character in _SPECIAL:
        return f"it holds {character!r}"
    if not character.isascii() and not _SEPARATORS.isdisjoint(_folded(character)):
        return f"it holds {character!r}, which some systems read as {_folded(character)!r}"
    return ""


#: What a look-alike must not turn into.
_SEPARATORS: Final = frozenset("./~") | _SPECIAL


def _folded(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def _refused(name: str, why: str) -> InputError:
    shown = repr(name if len(name) <= 80 else f"{name[:80]}...")
    return InputError(
        f"The path {shown} can't be used: {why}.",
        remedy="Give a plain path inside the folder, such as data/flights.csv",
        code="path-refused",
    )
