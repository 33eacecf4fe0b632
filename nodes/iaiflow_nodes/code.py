"""Python written in the flow itself."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from iaiflow_lab import syntax
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.sdk.annotations import Python
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

#: Frames of this module only lead to the user's code.
__tracebackhide__ = True

_WRITE_MAIN: Final = "Write `def main(...):` with the inputs as parameters."


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    """Yield why the code can't run with what is wired; it is compiled and never executed."""
    code = config.get("code")
    if not isinstance(code, str) or "code" in wired:
        return
    try:
        tree = syntax.parse(code)
        with warnings.catch_warnings(action="ignore"):
            compile(code, "<code>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        at = "The code" if line is None else f"Line {line}"
        said = error.msg if isinstance(error, SyntaxError) else error
        yield Fault("code", f"{at} is no Python: {said}.", "Correct the code of the node.")
        return
    if not any(_may_define_main(found) for found in ast.walk(tree)):
        yield Fault("code", "The code defines no function main.", _WRITE_MAIN)
    for main in _only_main(tree):
        fed = {*wired, *config, "ctx"} - {"code"}
        if missing := [name for name in _required(main.args) if name not in fed]:
            names = ", ".join(missing)
            yield Fault(
                "code",
                f"Line {main.lineno}: nothing feeds {names} of `main`.",
                f"Wire something into {names}, or give a default.",
            )


def _may_define_main(found: ast.AST) -> bool:
    match found:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return found.name == "main"
        case ast.alias():
            return (found.asname or found.name) in ("main", "*")
        case ast.Name():
            return found.id in ("exec", "globals") or (
                found.id == "main" and isinstance(found.ctx, ast.Store)
            )
        case _:
            return False


def _only_main(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the plain `main` of the module; nothing when something else may replace it."""
    if sum(_may_define_main(found) for found in ast.walk(tree)) != 1:
        return []
    return [
        each
        for each in tree.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and each.name == "main"
        and not each.decorator_list
    ]


def _required(given: ast.arguments) -> list[str]:
    """Return the parameters that have no default."""
    placed = [*given.posonlyargs, *given.args]
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        *(each.arg for each in placed[: len(placed) - len(given.defaults)]),
        *(each.arg for each, default in named if default is None),
    ]


@node("python", category="Code", title="Python", check=_check)
def python(ctx: Context, *, code: Python, **inputs: Any) -> Any:
    """Run a Python function that stands in the flow.

    The code defines `def main(...)`, whose parameters are the inputs by name; what it returns is
    the output. A parameter `ctx` receives the context, and `async def main` is awaited. The code
    runs in this process as the user who runs the flow and may do all that this user may: trust a
    flow before you run it.

    Args:
        code: Python source that defines `main`.
        inputs: Values for the parameters of `main`.
    """
    main = _load(code, ctx.node_id)
    if "ctx" in inspect.signature(main).parameters:
        inputs = {**inputs, "ctx": ctx}
    _check_arguments(main, inputs)
    result = main(**inputs)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def _load(code: str, name: str) -> Callable[..., Any]:
    file = f"<{name}>"
    # a traceback shows lines of the code only when linecache has them
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    try:
        compiled = compile(code, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        place = f"line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise NodeError(
            f"The code is no Python: {getattr(error, 'msg', error)}.",
            where=place,
            remedy="Correct the code of the node.",
            code="code-invalid",
        ) from None
    namespace: dict[str, Any] = {"__name__": f"flow_code.{name}"}
    exec(compiled, namespace)  # noqa: S102  running the user's code is what this node is for
    main = namespace.get("main")
    if not callable(main):
        raise NodeError(
            "The code defines no function main.",
            remedy=_WRITE_MAIN,
            code="code-invalid",
        )
    return main


def _check_arguments(main: Callable[..., Any], inputs: dict[str, Any]) -> None:
    try:
        inspect.signature(main).bind(**inputs)
    except TypeError as error:
        wired = ", ".join(name for name in inputs if name != "ctx") or "none"
        raise NodeError(
            f"The inputs do not fit `main`: {error}.",
            remedy=f"Wire one input for each parameter; wired now: {wired}.",
            code="inputs-invalid",
        ) from None
