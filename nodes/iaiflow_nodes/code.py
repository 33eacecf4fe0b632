"""Python written in the flow itself."""

from __future__ import annotations

import asyncio
import inspect
import linecache
from collections.abc import Callable
from typing import Any

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.annotations import Python
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("python", category="Code", title="Python")
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
            remedy="Write `def main(...):` with the inputs as parameters.",
            code="code-invalid",
        )
    return main


def _check_arguments(main: Callable[..., Any], inputs: dict[str, Any]) -> None:
    try:
        inspect.signature(main).bind(**inputs)
    except TypeError as error:
        raise NodeError(
            f"The inputs do not fit `main`: {error}.",
            remedy=f"Wire one input for each parameter; wired now: {', '.join(inputs) or 'none'}.",
            code="inputs-invalid",
        ) from None
