"""Output notebooks as documents for people: HTML, Markdown, PDF. Nothing in them is executed."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab.notebook.document import Notebook, read_notebook, source_of
from iaiflow_lab.notebook.printer import print_pdf
from iaiflow_lab.notebook.sanitise import clean_html, clean_markdown, fenced
from iaiflow_lab.safe.path import name_fault


class Form(StrEnum):
    """What an output notebook can be made into."""

    IPYNB = "ipynb"
    HTML = "html"
    MARKDOWN = "markdown"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Exported:
    """A document."""

    #: The name of its file.
    name: str
    data: bytes
    media_type: str
    #: Further files that it shows, by path beside it.
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


#: Charts drawn here at most; each takes a part of a second.
_MOST_CHARTS: Final = 50
#: What is shown of an output that offers several forms: the first of these.
_SHOWN: Final = (
    "text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "image/gif",
    "text/latex", "text/plain",
)  # fmt: skip
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif")
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def export(path: Path, form: Form) -> Exported:
    """Make an output notebook into a document that runs nothing and loads nothing.

    Scripts, widgets, frames, forms and pictures from other places are left out; charts of altair
    are drawn; formulas stand as they were written.

    Args:
        path: The notebook.
        form: What it is made into.

    Raises:
        UnreadableNotebookError: The file is missing, or no notebook.
        NotFoundError: A PDF is wanted and no browser that prints one is installed.
        NotebookError: The browser did not print.
    """
    notebook = read_notebook(path)
    if form is Form.IPYNB:
        return Exported(path.name, path.read_bytes(), "application/x-ipynb+json")
    if form is Form.MARKDOWN:
        return _markdown(notebook)
    page = _html(notebook)
    if form is Form.HTML:
        return Exported(f"{path.stem}.html", page.encode(), "text/html")
    return Exported(f"{path.stem}.pdf", print_pdf(page), "application/pdf")


def _html(notebook: Notebook) -> str:
    exporters: Any = import_module("nbconvert.exporters")
    formatters: Any = import_module("pygments.formatters.html")
    exporter = exporters.HTMLExporter(template_name="lab", template_file="base.html.j2")
    body, _ = exporter.from_notebook_node(_node(notebook, _html_cells(notebook)))
    colours = formatters.HtmlFormatter(style="default").get_style_defs(".highlight")
    style = Path(__file__).with_name("export.css").read_text(encoding="utf-8")
    return _PAGE.format(
        policy=_POLICY,
        title=html.escape(notebook.path.stem),
        style=style + colours,
        body=clean_html(body),
    )


def _html_cells(notebook: Notebook) -> Iterator[dict[str, Any]]:
    for cell, outputs in _cells(notebook):
        yield cell | {"outputs": outputs} if cell["cell_type"] == "code" else cell


def _markdown(notebook: Notebook) -> Exported:
    exporters: Any = import_module("nbconvert.exporters")
    exporter = exporters.MarkdownExporter(exclude_input=True)
    folder = f"{notebook.path.stem}_files"
    node = _node(notebook, _markdown_cells(notebook))
    resources = {"output_files_dir": folder, "unique_key": "output"}
    body, made = exporter.from_notebook_node(node, resources)
    files = cast("dict[str, bytes]", made.get("outputs") or {})
    own = {name.replace("\\", "/"): data for name, data in files.items()}
    kept = {n: d for n, d in own.items() if n.startswith(f"{folder}/") and not name_fault(n)}
    return Exported(f"{notebook.path.stem}.md", body.encode(), "text/markdown", kept)


def _markdown_cells(notebook: Notebook) -> Iterator[dict[str, Any]]:
    language = _language(notebook)
    for cell, outputs in _cells(notebook):
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            yield cell | {"source": clean_markdown(source)}
            continue
        if source.strip():
            yield _text_cell(fenced(source, language if cell["cell_type"] == "code" else ""))
        for output in outputs:
            shown = _as_markdown(output)
            if isinstance(shown, str):
                yield _text_cell(shown)
            else:
                yield cell | {"cell_type": "code", "outputs": [shown]}


def _text_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _as_markdown(output: dict[str, Any]) -> str | dict[str, Any]:
    """Return an output as Markdown; a picture as the output that it is, to become a file."""
    strip: Any = import_module("nbconvert.filters").strip_ansi
    if output["output_type"] == "stream":
        return fenced(strip(output["text"]).removesuffix("\n"))
    if output["output_type"] == "error":
        return fenced(strip("\n".join(output["traceback"])))
    [(kind, value)] = output["data"].items()
    if kind == "text/html":
        lines = [line for line in clean_html(value).splitlines() if line.strip()]
        return "\n".join(["<div>", *lines, "</div>"])  # a blank line would end it for Markdown
    if kind in {"text/markdown", "text/latex"}:
        return clean_markdown(value)
    if kind == "image/svg+xml":  # as a file it could hold a script; inside of a picture none runs
        return _as_markdown(output | {"data": _inline_svg(value)})
    return fenced(strip(value)) if kind == "text/plain" else output


def _node(notebook: Notebook, cells: Iterator[dict[str, Any]]) -> Any:
    nbformat: Any = import_module("nbformat")
    made = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)]
    metadata = {"language_info": {"name": _language(notebook)}}
    return nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
    )


def _language(notebook: Notebook) -> str:
    """Return the language whose words are coloured; `text` when nobody knows it."""
    lexers: Any = import_module("pygments.lexers")
    name = notebook.language or "python"
    try:
        lexers.find_lexer_class_by_name(name)
    except ValueError:
        return "text"
    return name


def _cells(notebook: Notebook) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield every cell without what is not shown, and its outputs, each in one form."""
    charts = iter(range(_MOST_CHARTS))
    for cell in notebook.cells:
        kept: dict[str, Any] = {"cell_type": cell["cell_type"], "source": source_of(cell)}
        kept["metadata"] = {}
        attachments = cell.get("attachments")
        if cell["cell_type"] == "markdown" and isinstance(attachments, dict):
            kept["attachments"] = _attachments(cast("dict[str, Any]", attachments))
        if cell["cell_type"] == "code":
            kept["execution_count"] = None
        shown = (_shown(output, charts) for output in cell.get("outputs", []))
        yield kept, [output for output in shown if output is not None]


def _attachments(given: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the pictures that a cell has attached, by name."""
    found: dict[str, dict[str, str]] = {}
    for name, bundle in given.items():
        if isinstance(bundle, dict) and "/" not in name and not name_fault(name):
            pictures = cast("dict[str, Any]", bundle)
            read = {kind: _base64(_text(pictures.get(kind))) for kind in _PICTURES}
            found[name] = {kind: data for kind, data in read.items() if data}
    return {name: bundle for name, bundle in found.items() if bundle}


def _shown(output: Any, charts: Iterator[int]) -> dict[str, Any] | None:
    """Return an output with the one form of it that is shown; None: it has none."""
    if not isinstance(output, dict):
        return None
    given = cast("dict[str, Any]", output)
    match given.get("output_type"):
        case "stream":
            name = "stderr" if given.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _text(given.get("text"))}
        case "error":
            lines: Any = given.get("traceback")
            listed = cast("list[Any]", lines) if isinstance(lines, list) else []
            trace = [line for line in listed if isinstance(line, str)]
            said = f"{given.get('ename', '')}: {given.get('evalue', '')}"
            return {"output_type": "error", "ename": "", "evalue": "", "traceback": trace or [said]}
        case "display_data" | "execute_result":
            bundle = _one_form(given.get("data"), charts)
            return bundle and {"output_type": "display_data", "metadata": {}, "data": bundle}
        case _:
            return None


def _one_form(data: Any, charts: Iterator[int]) -> dict[str, str] | None:
    if not isinstance(data, dict):
        return None
    bundle = cast("dict[str, Any]", data)
    for kind, value in bundle.items():
        if kind.startswith("application/vnd.vegalite") and next(charts, None) is not None:
            picture = _drawn(value)
            if picture:
                return {"image/svg+xml": picture}
    for kind in _SHOWN:
        value = _text(bundle.get(kind))
        if kind == "text/html" and not clean_html(value).strip():
            continue  # a script alone; another form may say more
        if kind.startswith("image/") and kind != "image/svg+xml":
            value = _base64(value)
        if value:
            return {kind: value} if kind != "image/gif" else _inline(kind, value)
    return None


def _inline_svg(value: str) -> dict[str, str]:
    return _inline("image/svg+xml", base64.b64encode(value.encode()).decode())


def _inline(kind: str, value: str) -> dict[str, str]:
    return {"text/html": f'<img src="data:{kind};base64,{value}">'}


def _drawn(spec: Any) -> str:
    """Draw a chart without fetching anything; "" when that cannot be."""
    import vl_convert

    try:
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    except Exception:  # of a compiled library, about a text of strangers
        return ""


def _base64(value: str) -> str:
    """Return the picture's data without line ends; "" when they are none."""
    try:
        data = base64.b64decode("".join(value.split()), validate=True)
        return base64.b64encode(data).decode()
    except ValueError:
        return ""


def _text(value: Any) -> str:
    """Return a text that may stand as a list of lines; "" for everything else."""
    if isinstance(value, list):
        lines = cast("list[Any]", value)
        return "".join(line for line in lines if isinstance(line, str))
    return value if isinstance(value, str) else ""
