"""Node types."""

from __future__ import annotations

from typing import Any

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.api.desk import At, Routes

routes = Routes("nodes")


@routes.get("/nodes", Permission.NODE_READ)
def list_(desk: At) -> dict[str, Any]:
    """List the node types that flows may use, and why others are missing."""
    catalog = desk.catalog()
    signatures, problems = catalog.signatures()
    found = [
        {
            "type": signature.type,
            "version": signature.version,
            "category": signature.category,
            "title": signature.title,
            "summary": signature.summary,
            "config": dict(signature.config_schema),
        }
        for signature in signatures
    ]
    return {"nodes": found, "problems": [str(problem) for problem in problems]}
