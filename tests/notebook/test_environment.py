from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from iaiflow_lab.notebook.environment import (
    MAX_DIRTY,
    QUESTION,
    describe_environment,
    describe_sources,
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    (tmp_path / "kept.txt").write_text("1")
    (tmp_path / "moved.txt").write_text("some text that is long enough to be recognised")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_the_facts_are_json_and_name_this_interpreter(tmp_path: Path):
    facts = describe_environment(tmp_path)
    assert facts["executable"] == sys.executable
    assert "msgspec" in facts["packages"]
    json.dumps(facts)


def test_commit_and_changed_files_are_named(repository: Path):
    (repository / "kept.txt").write_text("2")
    (repository / "new file.txt").write_text("3")
    subprocess.run(["git", "mv", "moved.txt", "to here.txt"], cwd=repository, check=True)
    facts = describe_sources(repository)
    assert len(facts["commit"]) == 40
    assert facts["dirty"] == ["kept.txt", "new file.txt", "to here.txt"]


def test_the_list_of_changed_files_is_bounded(repository: Path):
    for number in range(MAX_DIRTY + 5):
        (repository / f"f{number}").write_text("")
    facts = describe_sources(repository)
    assert len(facts["dirty"]) == MAX_DIRTY
    assert facts["dirty_count"] == MAX_DIRTY + 5


def test_without_git_or_repository_there_are_no_such_facts(tmp_path, monkeypatch):
    assert "git" not in describe_environment(tmp_path)
    monkeypatch.setenv("PATH", "")
    assert describe_sources(tmp_path / "none") == {}


def test_the_question_to_another_interpreter_is_answered_in_json():
    facts = json.loads(eval(QUESTION))
    assert facts["executable"] == sys.executable
    assert "msgspec" in facts["packages"]
