"""The published JSON Schema of flow files, `flow.schema.json` beside this module."""

from __future__ import annotations

import json
from typing import Any, get_args

from iaiflow_lab.model.data import MAX_EDGES, MAX_NODES
from iaiflow_lab.model.flow import FORMAT, Backoff, Join, OnError
from iaiflow_lab.model.names import NODE_ID_PATTERN

_TEXT: dict[str, Any] = {"type": "string"}
_SECONDS: dict[str, Any] = {"type": "number", "minimum": 0}


def flow_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a flow file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "IAI Flow Lab flow",
        "description": "A graph of nodes with its parameters and layout (NAME.flow.json).",
        "type": "object",
        "required": ["format"],
        "additionalProperties": False,
        "properties": {
            "$schema": _TEXT,
            "format": _about("The file format.", const=FORMAT),
            "name": _about("What people call the flow.", type="string"),
            "parameters": _about(
                "JSON Schema of each parameter, by name; 'default' makes it optional.",
                type="object",
                additionalProperties={"type": "object"},
            ),
            "nodes": _about(
                "Nodes by id.",
                type="object",
                maxProperties=MAX_NODES,
                propertyNames={"pattern": f"^{NODE_ID_PATTERN}$", "not": {"const": "params"}},
                additionalProperties={"$ref": "#/$defs/node"},
            ),
            "edges": _about(
                "Connections, such as 'fetch.body -> summarise.document'.",
                type="array",
                maxItems=MAX_EDGES,
                items={
                    "type": "string",
                    "pattern": r"^\s*[\w-]+\.[^\s.]+\s*->\s*[\w-]+\.[^\s.]+\s*$",
                },
            ),
            "outputs": _about(
                "What the flow returns, by name, as 'node.port'.",
                type=["object", "null"],
                additionalProperties=_TEXT,
            ),
            "layout": _about(
                "Canvas positions [x, y] in pixels, by node id.",
                type="object",
                additionalProperties={
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 2,
                },
            ),
            "notes": _objects("Markdown notes on the canvas."),
            "groups": _objects("Named groups of nodes on the canvas."),
        },
        "$defs": {"node": _node(), "retry": _retry()},
    }


def schema_text() -> str:
    """Return the content of `flow.schema.json`."""
    return json.dumps(flow_schema(), indent=2, ensure_ascii=False) + "\n"


def _node() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type"],
        "additionalProperties": False,
        "properties": {
            "type": _about("The node type's name.", type="string", minLength=1),
            "version": _about("Version of the node type.", type="integer", minimum=1, default=1),
            "title": _about("What people call the node.", type="string"),
            "config": _about("Settings and values of unconnected inputs.", type="object"),
            "retry": {"$ref": "#/$defs/retry"},
            "timeout": _about(
                "Longest time for one call, in seconds.",
                type=["number", "null"],
                exclusiveMinimum=0,
            ),
            "cache": _about(
                "Whether, or for how many seconds, a stored output may be used.",
                anyOf=[{"enum": ["auto", "off"]}, {"type": "number", "exclusiveMinimum": 0}],
            ),
            "on_error": _about("What a failure does.", enum=[*get_args(OnError)]),
            "join": _about("When the node may start.", enum=[*get_args(Join)]),
            "skip_if": _about("Expression; true skips the node.", type="string"),
            "concurrency": _about(
                "How many items run at once.", type=["integer", "null"], minimum=1
            ),
            "pin": _about(
                "Output values by port that stand in for a call in interactive runs.",
                type=["object", "null"],
            ),
        },
    }


def _retry() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "attempts": _about("Calls in all.", type="integer", minimum=1, maximum=1000),
            "backoff": _about("How the pause grows.", enum=[*get_args(Backoff)]),
            "initial": _about("First pause, in seconds.", **_SECONDS),
            "max": _about("Longest pause, in seconds.", **_SECONDS),
            "jitter": _about("Random share of the pause.", type="number", minimum=0, maximum=1),
            "on": _about("Exceptions worth another try; empty: all.", type="array", items=_TEXT),
        },
    }


def _about(description: str, **rules: Any) -> dict[str, Any]:
    return {"description": description, **rules}


def _objects(description: str) -> dict[str, Any]:
    return _about(description, type="array", items={"type": "object"})
