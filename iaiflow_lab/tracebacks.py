"""Tracebacks as people want them: their own lines only, and notebook cells by their names."""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import Any, Final

#: The packages of this project; in a checkout they do not stand where libraries do.
_OURS: Final = {f"iaiflow_{name}" for name in ("agents", "extension", "lab", "memory", "nodes")}
_PLACE = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+)')


def user_lines(error: BaseException) -> list[str]:
    """Return where an exception passed through the user's own code, as lines of text."""
    import sysconfig
    import traceback

    paths = sysconfig.get_paths()
    libraries = (paths[name] for name in ("stdlib", "purelib", "platlib"))
    others = ("<frozen ", *libraries)
    walked = traceback.walk_tb(error.__traceback__)
    frames = traceback.StackSummary.extract(place for place in walked if not _is_ours(place[0]))
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    return name_cells("".join(traceback.format_list(own))).splitlines()


def _is_ours(frame: FrameType) -> bool:
    """Say whether code stands in a package of this project, wherever that is."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS


def name_cells(text: str) -> str:
    """Return a traceback with notebook cells named as IPython does: `Cell In[3], line 2`."""
    return _PLACE.sub(_named, text)


def _named(place: re.Match[str]) -> str:
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    compiler = getattr(shell, "compile", None)
    named = compiler.format_code_name(place["file"]) if compiler is not None else None
    return place[0] if named is None else f"{named[0]} {named[1]}, line {place['line']}"
