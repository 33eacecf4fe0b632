"""The node types that come with IAI Flow Lab, one file per family.

The entry point `iaiflow.nodes` names this package: every node type that is imported here is in the
catalog. Libraries that take long to import are imported by the node that needs them.
"""

from iaiflow_nodes.bodies import map_, subflow
from iaiflow_nodes.branch import if_, merge
from iaiflow_nodes.chart import chart
from iaiflow_nodes.code import python
from iaiflow_nodes.files import read_file, write_file
from iaiflow_nodes.memory import add, forget, search
from iaiflow_nodes.notebook import notebook
from iaiflow_nodes.query import sql
from iaiflow_nodes.table_files import read_table, write_table
from iaiflow_nodes.tables import aggregate, filter_, join
from iaiflow_nodes.text import pick, template
from iaiflow_nodes.waiting import approval, delay, signal, until, webhook
from iaiflow_nodes.web import request

__all__ = [
    "add",
    "aggregate",
    "approval",
    "chart",
    "delay",
    "filter_",
    "forget",
    "if_",
    "join",
    "map_",
    "merge",
    "notebook",
    "pick",
    "python",
    "read_file",
    "read_table",
    "request",
    "search",
    "signal",
    "sql",
    "subflow",
    "template",
    "until",
    "webhook",
    "write_file",
    "write_table",
]
