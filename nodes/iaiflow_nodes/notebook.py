"""Notebooks as steps."""

from __future__ import annotations

from typing import Any, TypedDict

from iaiflow_lab.errors import InputError
from iaiflow_lab.safe.path import safe_path
from iaiflow_lab.sdk.annotations import File
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.strangers import BEGIN, come_from_strangers


class Executed(TypedDict):
    """What an executed notebook gives."""

    #: The path of the output notebook.
    notebook: File
    #: How many code cells were executed.
    cells: int


@node("notebook", category="Code", title="Notebook", effects="write")
def notebook(
    ctx: Context,
    *,
    path: str,
    parameters: dict[str, Any] | None = None,
    kernel: str = "",
    cell_timeout: float | None = None,
    timeout: float | None = None,
    snapshot: str = "",
    **inputs: Any,
) -> Executed:
    """Run a notebook in a kernel of its own; the file itself stays as it is.

    The output notebook grows in the run's folder. The notebook's code runs as the user who runs the
    flow and may do all that this user may.

    Args:
        path: The notebook, from the workspace's folder on.
        parameters: Values for its `parameters` cell, by name.
        kernel: The kernel to use instead of the one that the notebook names.
        cell_timeout: Longest time for one cell, in seconds; no limit when left out.
        timeout: Longest time for the whole notebook, in seconds; no limit when left out.
        snapshot: SHA-256 of the notebook as it was when the run was accepted; set by the queue.
        inputs: Further parameters, wired; JSON values.
    """
    from iaiflow_lab.notebook.runner import NotebookLimits, run_notebook

    if not path.endswith(".ipynb"):
        raise InputError(f"{path!r} is no notebook.", remedy="Name a file that ends in .ipynb.")
    origins = list(ctx.origins())
    result = run_notebook(
        safe_path(ctx.workspace, path, must_exist=not snapshot),
        {**(parameters or {}), **inputs},
        ctx,
        kernel=kernel,
        limits=NotebookLimits(cell=cell_timeout, notebook=timeout),
        snapshot=snapshot,
        untrusted=bool(origins) and ctx.once(BEGIN, lambda: come_from_strangers(ctx, origins)),
    )
    return {"notebook": str(result.output), "cells": result.cells}
