"""From a notebook cell to a file: a node type that every flow of the workspace can use."""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from iaiflow_lab import syntax
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.safe.load import safe_load
from iaiflow_lab.sdk.declared import Declared, Definition, declared
from iaiflow_lab.sdk.node_files import FOLDER
from iaiflow_lab.sdk.scaffold import check_name, file_stem, write_new

#: Largest notebook that is read, in bytes.
_MAX_BYTES: Final = 200_000_000
_BUILTINS: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


@dataclass(frozen=True, slots=True)
class Promoted:
    """What became of a cell's node type."""

    #: The file that was written.
    file: Path
    #: The name in flow files now.
    name: str
    #: The name in flow files until now.
    was: str
    #: The notebook it was taken from; it is as it was.
    notebook: Path
    #: What the function names and the file lacks.
    unresolved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    """A top-level statement of a cell."""

    node: ast.stmt
    #: Its text, decorators included.
    text: str


@dataclass(slots=True)
class _Cells:
    """The top-level statements of a notebook by the names that they bind; the last one wins."""

    bound: dict[str, _Statement] = field(default_factory=dict[str, _Statement])
    found: dict[str, tuple[Declared, str]] = field(default_factory=dict[str, Any])

    def read(self, source: str) -> None:
        """Take in a cell; one that is no Python is left out."""
        source = _without_magics(source)
        try:
            tree = syntax.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            return
        for statement in tree.body:
            text = _text(source, statement)
            self.bound |= {name: _Statement(statement, text) for name in _names_bound(statement)}
        for one in declared(tree):
            self.found[one.definition.name] = one, _text(source, one.definition)


def promote(workspace: Path, name: str, notebook: Path | None = None) -> Promoted:
    """Write the node type that a notebook's cell defines into `flow_nodes`.

    The cell is read and not executed. With it go the imports, functions, classes and plain
    constants that it names, as the notebook's last cell defines them.

    Args:
        workspace: The folder that holds `flow_nodes`.
        name: The function's name, or `cell.NAME`.
        notebook: Where it is defined; None: the only notebook of the workspace that does.

    Raises:
        NotFoundError: No such cell.
        InputError: The notebook can't be read, or several define it.
        ConflictError: The file exists already.
    """
    wanted = name.removeprefix("cell.")
    source, cells = _find(workspace, wanted, notebook)
    one, text = cells.found[wanted]
    new_name = one.name or wanted.lower()
    check_name(new_name)
    needed, unresolved = _needed(one.definition, cells.bound)
    content = _compose(new_name, one, text, needed)
    (file,) = write_new({workspace / FOLDER / f"{file_stem(new_name)}.py": content})
    return Promoted(file, new_name, f"cell.{wanted}", source, unresolved)


def _find(workspace: Path, name: str, notebook: Path | None) -> tuple[Path, _Cells]:
    if notebook is not None:
        cells = _read(notebook)
        if name not in cells.found:
            raise _missing(name, str(notebook), cells.found)
        return notebook, cells
    found: dict[Path, _Cells] = {}
    others: dict[str, Any] = {}
    for file in _notebooks(workspace):
        try:
            cells = _read(file)
        except InputError:
            continue  # what can't be read defines nothing; --notebook says why
        others |= cells.found
        if name in cells.found:
            found[file] = cells
    if len(found) > 1:
        shown = ", ".join(str(file.relative_to(workspace)) for file in found)
        raise InputError(
            f"Several notebooks define {name!r}: {shown}.",
            remedy="Say which with --notebook FILE.",
            code="notebook-ambiguous",
        )
    if not found:
        raise _missing(name, str(workspace), others)
    return next(iter(found.items()))


def _missing(name: str, where: str, known: Mapping[str, Any]) -> NotFoundError:
    return NotFoundError(
        f"No notebook cell defines a function {name[:80]!r} with @node.",
        where=where,
        remedy=did_you_mean(name, known) or "Save the notebook first; check the function's name.",
        code="cell-missing",
    )


def _notebooks(workspace: Path) -> Iterator[Path]:
    for file in sorted(workspace.rglob("*.ipynb")):
        parts = file.relative_to(workspace).parts
        if file.is_file() and not any(part.startswith((".", "node_modules")) for part in parts):
            yield file


def _read(notebook: Path) -> _Cells:
    try:
        data = notebook.read_bytes()
        content = safe_load(data, where=str(notebook), max_bytes=_MAX_BYTES, finite=False)
    except OSError as error:
        raise InputError(
            f"The notebook can't be read: {error.strerror}.",
            where=str(notebook),
            remedy="Check its path.",
            code="notebook-unreadable",
        ) from error
    listed: Any = cast("dict[str, Any]", content).get("cells") if isinstance(content, dict) else 0
    if not isinstance(listed, list):
        raise InputError("This is not a notebook.", where=str(notebook), code="notebook-unreadable")
    cells = _Cells()
    for cell in cast("list[Any]", listed):
        cells.read(_source(cell))
    return cells


def _source(cell: Any) -> str:
    """Return the code of a cell; "" for one that holds none."""
    if not isinstance(cell, dict):
        return ""
    known = cast("dict[str, Any]", cell)
    source = known.get("source")
    lines = cast("list[Any]", source if isinstance(source, list) else [source])
    is_code = known.get("cell_type") == "code" and all(isinstance(line, str) for line in lines)
    return "".join(lines) if is_code else ""


def _without_magics(source: str) -> str:
    """Return a cell's code with IPython's own lines left empty, so that lines keep their number."""
    if source.lstrip().startswith("%%"):
        return ""
    lines = source.splitlines(keepends=True)
    return "".join("\n" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines)


def _text(source: str, statement: ast.stmt) -> str:
    first = statement.lineno
    if isinstance(statement, Definition) and statement.decorator_list:
        first = statement.decorator_list[0].lineno
    lines = source.splitlines(keepends=True)[first - 1 : statement.end_lineno]
    return "".join(lines).rstrip("\n")


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that an import, definition or assignment binds."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, Definition):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (item.id for item in ast.walk(target) if isinstance(item, ast.Name))


def _needed(
    definition: Definition, bound: Mapping[str, _Statement]
) -> tuple[list[_Statement], tuple[str, ...]]:
    """Return the statements that a definition depends on, and the names that stay open."""
    needed = {id(one.node): one for one in bound.values() if _is_future(one.node)}
    unresolved: set[str] = set()
    seen = {definition.name}
    pending = sorted(_names_used(definition) - seen)
    while pending:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        statement = bound.get(name)
        if statement is None or not _is_movable(statement.node):
            if name not in _BUILTINS:
                unresolved.add(name)
            continue
        needed[id(statement.node)] = statement
        if not isinstance(statement.node, ast.Import | ast.ImportFrom):
            pending.extend(sorted(_names_used(statement.node) - seen))
    ordered = {id(one.node): one for one in bound.values()}  # in the notebook's order
    return [one for key, one in ordered.items() if key in needed], tuple(sorted(unresolved))


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_movable(statement: ast.stmt) -> bool:
    """Say whether a statement does the same in a file: no data that a notebook computed."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            return False
        return True
    return isinstance(statement, ast.Import | ast.ImportFrom | Definition)


def _names_used(statement: ast.AST) -> set[str]:
    """Return the names that a statement takes from outside, as far as its own text tells."""
    used: set[str] = set()
    own: set[str] = set()
    for item in ast.walk(statement):
        if isinstance(item, ast.Name):
            (used if isinstance(item.ctx, ast.Load) else own).add(item.id)
        elif isinstance(item, ast.arg):
            own.add(item.arg)
        elif isinstance(item, Definition) and item is not statement:
            own.add(item.name)
        elif isinstance(item, ast.alias):
            own.add(item.asname or item.name.partition(".")[0])
        elif isinstance(item, ast.ExceptHandler) and item.name:
            own.add(item.name)
    return used - own


def _compose(name: str, one: Declared, text: str, needed: list[_Statement]) -> str:
    imports = [s.text for s in needed if isinstance(s.node, ast.Import | ast.ImportFrom)]
    future = [s.text for s in needed if _is_future(s.node)]
    plain = [line for line in imports if line not in future]
    rest = [s.text for s in needed if not isinstance(s.node, ast.Import | ast.ImportFrom)]
    blocks = [f'"""The node type `{name}`."""', *future, "\n".join(dict.fromkeys(plain))]
    head = "\n\n".join(block for block in blocks if block)
    return "\n\n\n".join([head, *rest, _named(text, name, one)]) + "\n"


def _named(text: str, name: str, one: Declared) -> str:
    """Give the decorator the name that a node type outside a notebook must have."""
    if one.name:
        return text
    decorator = _node_decorator(one.definition)
    offset = one.definition.decorator_list[0].lineno
    line, column = decorator.end_lineno or 0, decorator.end_col_offset or 0
    lines = text.splitlines(keepends=True)
    if not isinstance(decorator, ast.Call):
        return _insert(lines, line - offset, column, f'("{name}")')
    comma = ", " if decorator.args or decorator.keywords else ""
    opening = _opening(text, decorator, offset)
    return _insert(lines, opening[0], opening[1], f'"{name}"{comma}')


def _node_decorator(definition: Definition) -> ast.expr:
    for decorator in definition.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if "node" in {getattr(target, "id", ""), getattr(target, "attr", "")}:
            return decorator
    raise AssertionError("declared() found it")


def _opening(text: str, decorator: ast.Call, offset: int) -> tuple[int, int]:
    """Return line (from 0) and column behind the call's opening bracket."""
    after = (decorator.func.end_lineno or 0) - offset, decorator.func.end_col_offset or 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start = token.start[0] - 1, token.start[1]
        if token.string == "(" and start >= after:
            return token.end[0] - 1, token.end[1]
    raise AssertionError("a call has a bracket")


def _insert(lines: list[str], index: int, column: int, text: str) -> str:
    # columns of `ast` count bytes of UTF-8
    line = lines[index].encode()
    lines[index] = (line[:column] + text.encode() + line[column:]).decode()
    return "".join(lines)
