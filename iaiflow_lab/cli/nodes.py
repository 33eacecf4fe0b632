"""`iaiflow nodes`: the node types of a workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iaiflow_lab.cli.output import (
    AsJson,
    console,
    cropped,
    one_line,
    plain,
    print_json,
    print_table,
)
from iaiflow_lab.settings import find_workspace

if TYPE_CHECKING:
    from iaiflow_lab.model.signature import NodeSignature, Port
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.sdk.node_files import Problem

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="The name in flow files, such as table.read.")]


@app.callback()
def group() -> None:
    """List, show, create and promote node types."""


@app.command("ls")
def list_(*, as_json: AsJson = False) -> None:
    """List every node type; this imports the files in flow_nodes."""
    from iaiflow_lab.sdk.catalog import load_catalog

    catalog = load_catalog(find_workspace())
    problems = [*catalog.problems, *catalog.import_all()]
    broken = {problem.file for problem in problems}
    found = [_row(catalog, name, broken) for name in catalog.names()]
    if as_json:
        shown = [{"file": p.file, "line": p.line, "message": p.message} for p in problems]
        print_json({"nodes": found, "problems": shown})
    else:
        rows = [
            (
                plain(row["type"]),
                plain(row["category"]),
                cropped(row["summary"]),
                cropped(row["source"]),
            )
            for row in found
        ]
        print_table(("Type", "Category", "What it does", "From"), rows, giving=["What it does"])
        _print_problems(problems)
    if problems:
        raise typer.Exit(2)


def _row(catalog: Catalog, name: str, broken: set[str]) -> dict[str, Any]:
    source = catalog.source(name)
    signature = _signature(catalog, name, is_broken=source is not None and source.name in broken)
    return {
        "type": name,
        "version": signature.version,
        "category": signature.category,
        "title": signature.title,
        "summary": one_line(signature.summary),
        "source": _shown(source.name) if source else "",
    }


def _signature(catalog: Catalog, name: str, *, is_broken: bool) -> NodeSignature:
    """Return the whole signature, or what the source tells when it can't be imported."""
    found = catalog.signature(name) if is_broken else catalog.require(name).signature
    assert found is not None
    return found


def _shown(source: str) -> str:
    """Return a file's path from the current folder on; other sources as they are."""
    return os.path.relpath(source) if Path(source).is_absolute() else source


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)


@app.command()
def show(name: Name, *, as_json: AsJson = False) -> None:
    """Show a node type: what it does, its ports, its configuration."""
    from iaiflow_lab.sdk.catalog import load_catalog

    catalog = load_catalog(find_workspace())
    signature = catalog.require(name).signature
    source = catalog.source(name)
    shown = _shown(source.name) if source else ""
    if as_json:
        print_json(_data(signature, shown))
        return
    out = console()
    out.print(plain(f"{signature.type}  (version {signature.version}, {signature.category})"))
    out.print(plain(f"from {shown}; effects: {signature.effects}\n"))
    out.print(plain(signature.help or "No help."))
    _print_ports("Input", signature.inputs, signature.free_inputs)
    _print_ports("Output", signature.outputs, signature.free_outputs)
    _print_config(signature)


def _data(signature: NodeSignature, source: str) -> dict[str, Any]:
    from iaiflow_lab.model.signature import port_data

    return {
        "type": signature.type,
        "version": signature.version,
        "category": signature.category,
        "title": signature.title,
        "help": signature.help,
        "effects": signature.effects,
        "source": source,
        "inputs": [port_data(port) for port in signature.inputs],
        "free_inputs": str(signature.free_inputs) if signature.free_inputs else None,
        "outputs": [port_data(port) for port in signature.outputs],
        "free_outputs": str(signature.free_outputs) if signature.free_outputs else None,
        "config": signature.config_schema,
    }


def _print_ports(title: str, ports: tuple[Port, ...], free: object) -> None:
    is_input = title == "Input"
    rows = [
        (
            plain(port.name),
            plain(str(port.type)),
            "yes" if port.required and is_input else "",
            plain(port.help),
        )
        for port in ports
    ]
    if free is not None:
        rows.append((plain("any name"), plain(str(free)), "", ""))
    if rows:
        print_table((title, "Type", "Required" if is_input else "", "Help"), rows)


def _print_config(signature: NodeSignature) -> None:
    required = signature.config_schema.get("required", [])
    fields: dict[str, Any] = {
        name: signature.config_schema["properties"][name] for name in signature.config_ports
    }
    rows = [
        (
            plain(name),
            plain(_type(field)),
            plain("required" if name in required else repr(field.get("default"))),
            plain(field.get("description", "")),
        )
        for name, field in fields.items()
    ]
    if rows:
        print_table(("Configuration", "Type", "Default", "Help"), rows, giving=["Type"])


def _type(field: dict[str, Any]) -> str:
    """Return what a JSON Schema accepts, in few words."""
    if "x-widget" in field:
        return str(field["x-widget"])
    if "enum" in field:
        return " | ".join(str(choice) for choice in field["enum"])
    if "anyOf" in field:
        return " | ".join(_type(choice) for choice in field["anyOf"])
    return str(field.get("type", "any"))


@app.command()
def new(name: Name, *, as_json: AsJson = False) -> None:
    """Write a new node type and its test into flow_nodes."""
    from iaiflow_lab.errors import ConflictError
    from iaiflow_lab.sdk.catalog import load_catalog
    from iaiflow_lab.sdk.scaffold import new_node

    workspace = find_workspace()
    if (source := load_catalog(workspace).source(name)) is not None:
        raise ConflictError(
            f"The node type {name!r} exists already ({_shown(source.name)}).",
            remedy="Choose another name.",
            code="file-exists",
        )
    files = [_shown(str(file)) for file in new_node(workspace, name)]
    if as_json:
        print_json({"type": name, "files": files})
    else:
        typer.echo("\n".join(files))
        typer.echo(f"{name} is in the catalog now: `iaiflow nodes show {name}`.", err=True)


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="The function's name in the notebook.")],
    *,
    notebook: Annotated[
        Path | None, typer.Option("--notebook", help="The notebook that defines it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a node type that a notebook cell defines into flow_nodes; nothing is executed."""
    from iaiflow_lab.sdk.promote import promote as promote_cell

    done = promote_cell(find_workspace(), name, notebook)
    file, source = _shown(str(done.file)), os.path.relpath(done.notebook)
    if as_json:
        print_json(
            {
                "type": done.name,
                "was": done.was,
                "file": file,
                "notebook": source,
                "unresolved": list(done.unresolved),
            }
        )
        return
    typer.echo(file)
    typer.echo(f"{source} is as it was. In flows, write {done.name!r} for {done.was!r}.", err=True)
    if done.unresolved:
        names = ", ".join(done.unresolved)
        typer.echo(f"Define these in {file}, which names them: {names}.", err=True)
