"""Tracebacks as people want them: their own lines only, and notebook cells by their names."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

_PLACE = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+)')


def user_lines(error: BaseException) -> list[str]:
    """Return where an exception passed through the user's own code, as lines of text."""
    import sysconfig
    import traceback

    paths = sysconfig.get_paths()
    libraries = (paths[name] for name in ("stdlib", "purelib", "platlib"))
    others = (f"{Path(__file__).parent}/", "<frozen ", *libraries)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    return name_cells("".join(traceback.format_list(own))).splitlines()


def name_cells(text: str) -> str:
    """Return a traceback with notebook cells named as IPython does: `Cell In[3], line 2`."""
    return _PLACE.sub(_named, text)


def _named(place: re.Match[str]) -> str:
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    compiler = getattr(shell, "compile", None)
    named = compiler.format_code_name(place["file"]) if compiler is not None else None
    return place[0] if named is None else f"{named[0]} {named[1]}, line {place['line']}"
