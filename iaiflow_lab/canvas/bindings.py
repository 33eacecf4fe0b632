"""Live values of flows as variables of the notebook.

What the canvas opens in the notebook is a cell that works by itself: `value("fetch.out",
flow="digest.flow.json")` gives the object of the latest run in this kernel.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from keyword import iskeyword, issoftkeyword
from pathlib import Path
from typing import Any, Final
from weakref import ReferenceType, ref

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.interactive.kernel import notebook_folder
from iaiflow_lab.model.flow import OUT, Flow
from iaiflow_lab.model.names import did_you_mean

#: Returns a live value from its holder, step path and port; raises `KeyError`.
Look = Callable[[Any, str, str], Any]

_REFERENCE: Final = re.compile(r"(?P<path>.+?)(?:\.(?P<port>[^./\[\]]+))?")
_ITEMS: Final = re.compile(r"\W+")
#: Values that were opened are kept alive, the newest ones.
_MOST_OPENED: Final = 200

_lock = threading.Lock()
#: Who has the values of a flow's latest run, newest last; nobody is kept alive by this.
_holders: Final[dict[str, list[tuple[ReferenceType[Any], Look]]]] = {}
_opened: Final[dict[tuple[str, str, str], Any]] = {}


def label(flow: Flow, file: Path | None) -> str:
    """Return what a cell calls a flow: its file, as seen from the notebook, else its name."""
    if file is None:
        return flow.name
    folder = notebook_folder().resolve()
    place = file.resolve()
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)


def provide(flow: str, holder: object, look: Look) -> None:
    """Let `value` find the values that `holder` has of the flow's latest run.

    Args:
        flow: The flow's label.
        holder: An object; it is not kept alive by this.
        look: Returns a value from the holder, a step's path and a port; raises `KeyError`.
    """
    with _lock:
        known = [one for one in _holders.get(flow, ()) if one[0]() not in (None, holder)]
        _holders[flow] = [*known, (ref(holder), look)]


def value(reference: str, /, *, flow: str) -> Any:
    """Return a live value of a flow's latest run in this kernel: the object itself, not a copy.

    Args:
        reference: The output, as `node.port`; the port `out` may be left out. Items of a map
            are `each[3]/clean.out`.
        flow: The flow's file, as seen from the notebook, or its name when it has no file.

    Raises:
        NotFoundError: No run in this kernel has that value, or it is gone.
        InputError: The reference is empty.
    """
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        raise InputError("The reference of a value is empty.", remedy='Write "node.port".')
    path, port = match["path"], match["port"] or OUT
    with _lock:
        holders = list(reversed(_holders.get(flow, ())))
        known = [*_holders, *(name for name, _, _ in _opened)]
    for holder, look in holders:
        if (alive := holder()) is not None:
            try:
                return look(alive, path, port)
            except KeyError:
                continue
    with _lock:
        if (flow, path, port) in _opened:
            return _opened[flow, path, port]
    hint = "" if flow in known else did_you_mean(flow, known)
    raise NotFoundError(
        f"This kernel has no value of {path}.{port} of the flow {flow!r}.",
        remedy=hint or "Run the flow in this notebook, at least up to that node, then this cell.",
        code="value-gone",
    )


def bind(found: Any, flow: str, path: str, port: str) -> dict[str, str]:
    """Bind a live value to a free variable of the notebook.

    Args:
        found: The value.
        flow: The flow's label.
        path: The step that made it.
        port: The output that it is.

    Returns:
        `name`, the variable, and `code`, a cell that gets the value again.
    """
    with _lock:
        _opened.pop((flow, path, port), None)
        _opened[flow, path, port] = found
        while len(_opened) > _MOST_OPENED:
            del _opened[next(iter(_opened))]
    variables = _variables()
    name = _free_name(path, port, found, variables)
    variables[name] = found
    reference, of = (json.dumps(text, ensure_ascii=False) for text in (f"{path}.{port}", flow))
    code = f"from iaiflow_lab import value\n\n{name} = value({reference}, flow={of})\n{name}"
    return {"name": name, "code": code}


def _variables() -> dict[str, Any]:
    """Return the notebook's variables; of the main module where there is no notebook."""
    module = sys.modules.get("IPython")
    shell: Any = module.get_ipython() if module is not None else None
    return shell.user_ns if shell is not None else vars(sys.modules["__main__"])


def _free_name(path: str, port: str, found: Any, variables: dict[str, Any]) -> str:
    """Return a good name that no other variable has."""
    wanted = path if port == OUT else f"{path}_{port}"
    stem = _ITEMS.sub("_", wanted).strip("_") or "value"
    if stem[0].isdigit():
        stem = f"value_{stem}"
    builtins = vars(sys.modules["builtins"])
    if iskeyword(stem) or issoftkeyword(stem) or stem in builtins or stem in ("value", "Flow"):
        stem = f"{stem}_"
    name, number = stem, 2
    while name in variables and variables[name] is not found:
        name, number = f"{stem}_{number}", number + 1
    return name
