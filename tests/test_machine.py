"""What is left of the machine's memory, also where a control group has less of it."""

from __future__ import annotations

import pytest

from iaiflow_lab.machine import ThisMachine, free_in_groups


@pytest.fixture
def groups(tmp_path):
    """Return `put(group, ...)`, which describes a control group, and the folder of all."""
    root = tmp_path / "cgroup"

    def put(group, limit, used, files=0):
        folder = root / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {files}\n")

    return put, root


def member(tmp_path, text):
    path = tmp_path / "membership"
    path.write_text(text)
    return path


def test_the_tightest_group_counts_and_kept_files_are_free(groups, tmp_path):
    put, root = groups
    put("", "max", 5_000)
    put("lab", 1_000, 700, files=200)
    put("lab/job", 4_000, 100)
    put("lab/full", 100, 150)
    put("other", 10, 10)
    found = free_in_groups(root, member(tmp_path, "1:name=x:/old\n0::/lab/job\n"))
    assert found == [3_900, 500]
    assert free_in_groups(root, member(tmp_path, "0::/lab/full\n")) == [0, 500]
    assert free_in_groups(root, member(tmp_path, "0::/\n")) == []


def test_in_a_container_the_outermost_group_is_its_own(groups, tmp_path):
    put, root = groups
    put("", 1_000, 400)
    assert free_in_groups(root, member(tmp_path, "0::/docker/not-shown-here\n")) == [600]


@pytest.mark.parametrize("text", ["", "4:memory:/lab\n", "nonsense"])
def test_without_groups_the_machine_counts(groups, tmp_path, text):
    assert free_in_groups(groups[1], member(tmp_path, text)) == []
    assert free_in_groups(groups[1], tmp_path / "none") == []
    assert ThisMachine().free_memory() > 0
