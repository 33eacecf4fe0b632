"""What tests of agents share: a lab with the agents' node types, and functions that count calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import PATIENCE, Lab

from iaiflow_agents import nodes
from iaiflow_agents.tools.functions import CELL_TOOLS, tool
from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.engine.setup import Result
from iaiflow_lab.model.flow import Flow, Node

TYPES = [getattr(nodes, name) for name in nodes.__all__]

Said = Mapping[str, Any]


def calls(name: str, *many: Mapping[str, Any], **arguments: Any) -> list[dict[str, Any]]:
    """Return calls of one tool for a script."""
    return [{"tool": name, "arguments": dict(each)} for each in (many or (arguments,))]


def agent_lab(folder: Path) -> Lab:
    """Return a lab that has the agents' node types."""
    return Lab(folder, *TYPES)


def one(node_type: str, **config: Any) -> Flow:
    """Return a flow of one node called `n`; a script makes it a scripted one."""
    if "script" in config:
        config.setdefault("model", "scripted")
    return Flow("agents", nodes={"n": Node(node_type, config)})


def run(lab: Lab, flow: Flow, **setup: Any) -> Said:
    """Run a flow of one node and return its outputs, or raise what it failed with."""
    result: Result = lab.start(flow, **setup).wait(PATIENCE)
    if result.exception is not None:
        raise result.exception
    return result.values["n"]


def ask(lab: Lab, script: Sequence[Any], **config: Any) -> Said:
    """Run one scripted agent."""
    given = {"prompt": "Do it.", "script": list(script), **config}
    return run(lab, one("agent", **given))


class Toolbox:
    """Functions that note how they were called; `CELL_TOOLS` has them while a test runs."""

    def __init__(self) -> None:
        self.called: list[tuple[str, Any]] = []

    def add(self, name: str, gives: Any = "fine", **how: Any) -> Tool:
        """Make a tool `name(text)` that notes the call and gives a value, or what a function does.

        Args:
            name: Its name.
            gives: What it gives, or a function of the text.
            **how: As for `tool`.
        """

        def work(text: str = "") -> Any:
            """Do something.

            Args:
                text: Anything.
            """
            self.called.append((name, text))
            return gives(text) if callable(gives) else gives

        made = tool(name=name, **how)(work)
        CELL_TOOLS[name] = made
        return made

    @property
    def names(self) -> list[str]:
        """The names of the tools that were called, in their order."""
        return [name for name, _ in self.called]
