"""What the code of a node is, as a hash: its source, what it names in its module, its package.

Two functions with the same hash do the same on the same inputs, as far as their own code goes. A
global that cannot be hashed (an open connection, say) makes the hash unknown: such a node is
never cached.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import metadata
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic")
#: Globals larger than this, in bytes of JSON, are not hashed.
_CONSTANT_LIMIT = 1_000_000


def code_hash(function: Callable[..., Any]) -> str | None:
    """Return the hash of a function's or class's code; None when it cannot be known."""
    digest = hashlib.sha256()
    seen: set[int] = set()
    pending: list[Any] = [function]
    while pending:
        current = inspect.unwrap(pending.pop())
        if id(current) in seen:
            continue
        seen.add(id(current))
        digest.update(_source(current).encode())
        for name, found in _named_globals(current):
            value = _code_of(found)
            if _is_own_code(value, current):
                pending.append(value)
                continue
            described = _describe(value)
            if described is None:
                return None
            digest.update(name.encode() + b"=" + described)
            if _is_own_code(type(value), current):
                pending.append(type(value))
    return digest.hexdigest()


def _source(target: Any) -> str:
    try:
        return inspect.getsource(target)
    except (OSError, TypeError):
        return repr([c.co_code for c in _codes(target)])


def _codes(target: Any) -> Iterator[types.CodeType]:
    if inspect.isclass(target):
        functions = [m for m in vars(target).values() if inspect.isfunction(m)]
    else:
        functions = [target] if inspect.isfunction(target) else []
    stack = [f.__code__ for f in functions]
    while stack:
        code = stack.pop()
        yield code
        stack.extend(c for c in code.co_consts if isinstance(c, types.CodeType))


def _named_globals(target: Any) -> Iterator[tuple[str, Any]]:
    module_globals = _globals_of(target)
    names = sorted({name for code in _codes(target) for name in code.co_names})
    for name in names:
        if name in module_globals:
            yield name, module_globals[name]
            yield from _of_module(module_globals[name], names, _top(target))
    yield from _closure(target)


def _of_module(module: Any, names: list[str], package: str) -> Iterator[tuple[str, Any]]:
    """Yield what `names` may mean in a module of the same package: `helpers.clean`."""
    if inspect.ismodule(module) and module.__name__.partition(".")[0] == package:
        found = vars(module)
        yield from ((f"{module.__name__}.{name}", found[name]) for name in names if name in found)


def _closure(target: Any) -> Iterator[tuple[str, Any]]:
    if inspect.isfunction(target) and target.__closure__:
        for name, cell in zip(target.__code__.co_freevars, target.__closure__, strict=True):
            yield name, cell.cell_contents


def _globals_of(target: Any) -> dict[str, Any]:
    if inspect.isfunction(target):
        return target.__globals__
    module = sys.modules.get(getattr(target, "__module__", ""), None)
    return vars(module) if module is not None else {}


def _code_of(value: Any) -> Any:
    """Return the function or class of another node type, or the value itself."""
    target = getattr(value, "target", None)
    is_node_type = inspect.isfunction(target) or inspect.isclass(target)
    return target if is_node_type and not inspect.ismodule(value) else value


def _is_own_code(value: Any, owner: Any) -> bool:
    """Say whether `value` is code of the same top-level package (or notebook) as `owner`."""
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return False
    return _top(value) == _top(owner)


def _top(target: Any) -> str:
    return str(getattr(target, "__module__", "")).partition(".")[0]


def _describe(value: Any) -> bytes | None:
    if inspect.ismodule(value):
        return _distribution(value.__name__.partition(".")[0]).encode()
    if callable(value) and hasattr(value, "__qualname__"):
        named = f"{getattr(value, '__module__', '')}.{value.__qualname__}"
        return f"{named}@{_distribution(_top(value))}".encode()
    try:
        data = _encoder.encode(value)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return f"{type(value).__module__}.{value!r}".encode() if _is_plain(value) else None
    return data if len(data) <= _CONSTANT_LIMIT else None


def _is_plain(value: Any) -> bool:
    return type(value).__module__ in ("typing", "re", "pathlib", "builtins", "types")


@lru_cache(maxsize=1024)
def _distribution(package: str) -> str:
    """Return `package==version`; a package without a distribution is its own name."""
    try:
        return f"{package}=={metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package
