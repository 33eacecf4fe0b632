"""What must hold in a flow before it runs: small rules with codes, and the check by all of them."""

from __future__ import annotations

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.rules import config, graph, interface, ports
from iaiflow_lab.model.rules.base import Problem, Rule, Severity, View
from iaiflow_lab.model.signature import Signatures

__all__ = ["RULES", "Problem", "Rule", "Severity", "check", "ensure"]

#: Every rule, in the order in which problems are listed.
RULES: tuple[Rule, ...] = (
    graph.KnownNodeType(),
    graph.KnownNodeVersion(),
    graph.EdgeNodes(),
    graph.EdgePorts(),
    graph.EdgesOnce(),
    graph.Acyclic(),
    ports.PortTypes(),
    ports.RequiredInputs(),
    config.ConfigSchema(),
    ports.OneEdgePerPort(),
    ports.ListsWholeOrByItem(),
    config.Templates(),
    config.Expressions(),
    interface.Outputs(),
    interface.Parameters(),
    config.OwnChecks(),
    config.Settings(),
    config.RetriedBodies(),
    interface.UsedParameters(),
    config.NoSecrets(),
    interface.VisibleTitles(),
    interface.Bodies(),
    interface.CellNodes(),
    graph.NodeNames(),
)


def check(flow: Flow, signatures: Signatures) -> list[Problem]:
    """Return all that is wrong with a flow, errors first; nothing is executed.

    Args:
        flow: The flow.
        signatures: Where its node types are looked up.
    """
    found = View(flow, signatures, RULES).problems()
    return sorted(found, key=lambda problem: problem.severity)


def ensure(flow: Flow, signatures: Signatures, where: str = "") -> None:
    """Refuse a flow that has errors; warnings pass.

    Args:
        flow: The flow.
        signatures: Where its node types are looked up.
        where: The flow's name or file, for the message.

    Raises:
        FlowError: With the first error, and how many more there are.
    """
    errors = [problem for problem in check(flow, signatures) if problem.severity == "error"]
    if not errors:
        return
    first, more = errors[0], len(errors) - 1
    place = ": ".join(part for part in (where, first.place) if part)
    rest = f"({more} more: `iaiflow validate` lists them.)" if more else ""
    raise FlowError(
        first.message,
        where=place,
        remedy=" ".join(part for part in (first.remedy, rest) if part),
        code=first.code,
    )
