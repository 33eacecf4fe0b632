"""What the distribution declares, pins and contains."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGES = {
    "iaiflow_lab": "iaiflow_lab",
    "iaiflow_nodes": "nodes/iaiflow_nodes",
    "iaiflow_agents": "agents/iaiflow_agents",
    "iaiflow_memory": "memory/iaiflow_memory",
    "iaiflow_extension": "extension/iaiflow_extension",
}


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project: dict) -> list[Requirement]:
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    pairs = [line.split("==") for line in lines]
    assert all(len(pair) == 2 for pair in pairs), f"{path.name} has a line that is no pin"
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_dependency_has_a_floor(requirements: list[Requirement]):
    bare = [
        req.name for req in requirements if not any(spec.operator == ">=" for spec in req.specifier)
    ]
    assert bare == []


def test_every_dependency_is_pinned_within_its_range(root: Path, requirements: list[Requirement]):
    pinned = pins(root / "constraints.txt")
    for requirement in requirements:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is missing in constraints.txt: run make lock"
        assert version in requirement.specifier


def test_binder_installs_the_pinned_versions(root: Path, project: dict):
    pinned = pins(root / "constraints.txt")
    binder = pins(root / "binder" / "requirements.txt")
    assert binder.items() <= pinned.items()
    needed = project["dependencies"] + project["optional-dependencies"]["lab"]
    names = {canonicalize_name(Requirement(line).name) for line in needed}
    assert names <= binder.keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_declared(root: Path, project: dict, package: str):
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"]]
    for extra in extras.keys() - {"test", "bench"}:
        lines += extras[extra]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    providers = packages_distributions()
    undeclared = {}
    for file in (root / PACKAGES[package]).rglob("*.py"):
        for name in imported(file) - sys.stdlib_module_names - PACKAGES.keys():
            distributions = {canonicalize_name(found) for found in providers.get(name, [name])}
            if not distributions & declared:
                undeclared[name] = file.name
    assert undeclared == {}


def imported(file: Path) -> set[str]:
    """Return the top-level names of the modules that a source file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_the_wheel_holds_the_packages_and_the_built_canvas(
    root: Path, checkout: Path, tmp_path: Path
):
    views = ("agents/iaiflow_agents/chat/static", "memory/iaiflow_memory/inspector/static")
    for built in ("extension/labextension", "iaiflow_lab/canvas/static", *views):
        assert (root / built).is_dir(), f"{built} is missing: run make build"
        shutil.copytree(root / built, checkout / built)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("iaiflow_lab-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names if "-0" not in name.partition("/")[0]}
    assert packages == set(PACKAGES)
    assert "iaiflow_lab/py.typed" in names
    assert "iaiflow_lab/canvas/static/canvas.js" in names
    assert "iaiflow_memory/inspector/static/inspector.js" in names
    assert "iaiflow_agents/chat/static/chat.js" in names
    shared = [name.partition("/data/")[2] for name in names if ".data/data/" in name]
    extension = "share/jupyter/labextensions/iaiflow-lab"
    assert {f"{extension}/package.json", f"{extension}/install.json"} <= set(shared)
    assert any(name.startswith(f"{extension}/static/remoteEntry") for name in shared)
    assert "etc/jupyter/jupyter_server_config.d/iaiflow_extension.json" in shared
    assert sum("remoteEntry" in name for name in names) == 1, "the extension is shipped once"
    assert not [name for name in names if "node_modules" in name or name.endswith(".ts")]
