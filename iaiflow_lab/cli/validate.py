"""`iaiflow validate`: the problems of flow and notebook files, printed as a compiler would."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from iaiflow_lab.cli.output import AsJson, print_json
from iaiflow_lab.errors import FlowError, LabError
from iaiflow_lab.model.file import MAX_BYTES, parse, too_large
from iaiflow_lab.model.locate import lines_of
from iaiflow_lab.model.rules import Problem, check

app = typer.Typer(add_completion=False)

_LINE = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class _Finding:
    """A problem with its file and line; the line is 0 when the problem has none."""

    file: str
    line: int
    problem: Problem

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.problem}"

    def to_data(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, **asdict(self.problem)}


@app.command()
def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Flow files or notebooks.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Check flow files and notebooks; nothing in them is executed."""
    findings = [finding for file in files for finding in _findings(file)]
    if as_json:
        print_json([finding.to_data() for finding in findings])
    else:
        for finding in findings:
            typer.echo(str(finding))
        typer.echo(_summary(len(files), findings), err=True)
    if any(finding.problem.severity == "error" for finding in findings):
        raise typer.Exit(2)


def _summary(files: int, findings: list[_Finding]) -> str:
    errors = sum(finding.problem.severity == "error" for finding in findings)
    counts = (files, "file"), (errors, "error"), (len(findings) - errors, "warning")
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)


def _findings(file: Path) -> list[_Finding]:
    try:
        if file.suffix == ".ipynb":
            return _in_notebook(file)
        return _in_flow(file)
    except LabError as error:
        return [_refused(file, error)]


def _in_notebook(file: Path) -> list[_Finding]:
    from iaiflow_lab.notebook.check import problems

    return [_Finding(str(file), 0, problem) for problem in problems(file)]


def _in_flow(file: Path) -> list[_Finding]:
    from iaiflow_lab.sdk.catalog import load_catalog
    from iaiflow_lab.service import secret_checks
    from iaiflow_lab.settings import find_workspace

    content = _read(file)
    try:
        flow = parse(content)
    except FlowError as error:
        return [_refused(file, error, content)]
    workspace = find_workspace(file.parent)
    catalog = load_catalog(workspace)
    problems = [*check(flow, catalog), *secret_checks.problems(workspace, flow, catalog)]
    lines = lines_of(content.decode("utf-8-sig"), (problem.place for problem in problems))
    found = [_Finding(str(file), lines[problem.place], problem) for problem in problems]
    return sorted(found, key=lambda finding: finding.line)


def _read(file: Path) -> bytes:
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise too_large(size)
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FlowError(f"The file can't be read: {reason}.", remedy="Check its path.") from None


def _refused(file: Path, error: LabError, content: bytes = b"") -> _Finding:
    problem = Problem(error.code, "error", error.what, error.where, error.remedy)
    if match := _LINE.match(error.where):
        return _Finding(str(file), int(match.group(1)), problem)
    line = 0
    if content and error.where:
        line = _line_of(content, error.where)
    return _Finding(str(file), line, problem)


def _line_of(content: bytes, place: str) -> int:
    return lines_of(content.decode("utf-8-sig", "replace"), [place])[place]
