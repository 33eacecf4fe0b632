"""The node types of agents: the pack `agents`.

The entry point `iaiflow.nodes` names this package. What takes long to import is imported by the
node that needs it.
"""

from iaiflow_agents.nodes.agent import agent
from iaiflow_agents.nodes.batch import batch
from iaiflow_agents.nodes.embed import embed
from iaiflow_agents.nodes.guards import allow_list, pii, schema
from iaiflow_agents.nodes.llm import classify, extract, prompt
from iaiflow_agents.nodes.models import models

__all__ = [
    "agent",
    "allow_list",
    "batch",
    "classify",
    "embed",
    "extract",
    "models",
    "pii",
    "prompt",
    "schema",
]
