"""A notebook-first workbench for AI agents and workflows.

    from iaiflow_lab import Flow, node

    with Flow("Greeting", parameters={"name": {"type": "string"}}) as flow:
        flow.add("text.template", template="Hello, {{params.name}}")

Everything here is imported when it is first used, so that `import iaiflow_lab` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iaiflow_lab.canvas.bindings import value
    from iaiflow_lab.lab.flow import Flow, run
    from iaiflow_lab.lab.run import Run
    from iaiflow_lab.lab.workspace import Lab
    from iaiflow_lab.model.flow import Retry
    from iaiflow_lab.sdk.annotations import (
        Body,
        Expression,
        File,
        Image,
        Json,
        Python,
        Sql,
        Table,
        Template,
    )
    from iaiflow_lab.sdk.context import Context
    from iaiflow_lab.sdk.node import node
    from iaiflow_lab.sdk.outcome import Done, Expand, Skip

__all__ = [
    "Body",
    "Context",
    "Done",
    "Expand",
    "Expression",
    "File",
    "Flow",
    "Image",
    "Json",
    "Lab",
    "Python",
    "Retry",
    "Run",
    "Skip",
    "Sql",
    "Table",
    "Template",
    "node",
    "run",
    "value",
]

#: The module of this package that each public name comes from.
_HOMES: Final = {
    "Flow": "lab.flow",
    "run": "lab.flow",
    "value": "canvas.bindings",
    "Run": "lab.run",
    "Lab": "lab.workspace",
    "Retry": "model.flow",
    "Context": "sdk.context",
    "node": "sdk.node",
    "Done": "sdk.outcome",
    "Expand": "sdk.outcome",
    "Skip": "sdk.outcome",
}
_ANNOTATIONS: Final = "sdk.annotations"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES.get(name, _ANNOTATIONS)}"), name)
    globals()[name] = found  # the next look finds it without this function
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
