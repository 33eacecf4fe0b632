"""Python that a model writes: shut in, and stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from tool_calls import ask, inside, refused, said

from iaiflow_agents.tools.code import python_tool
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.tool import ToolResult
from iaiflow_lab.errors import NotAllowedError
from iaiflow_lab.safe import jail

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jails are of Linux")


@pytest.fixture(params=["bubblewrap", "landlock"])
def kind(request, monkeypatch) -> str:
    """Return what shuts code in, if it can here."""
    if request.param == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if not jail._works(request.param):
        pytest.skip(f"{request.param} does not work on this machine")
    monkeypatch.setattr(jail, "isolation", lambda: request.param)
    monkeypatch.setattr("iaiflow_agents.tools.code.isolation", lambda: request.param)
    return request.param


def run(code: str, **how: Any) -> jail.Ran:
    return asyncio.run(jail.run_jailed(code, **how))


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("jails")))


def folders() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("iaiflow-code-*"))


ESCAPES = {
    "read a file": "open('/etc/passwd').read()",
    "read the workspace": "open({workspace!r}).read()",
    "write outside": "open({workspace!r}, 'w')",
    "list a home": "import os; os.listdir(os.path.expanduser('~root') + '/.ssh')",
    "chmod": "import os; os.chmod({workspace!r}, 0)",
    "reach the network": "import socket; socket.create_connection(('127.0.0.1', 1), 1)",
    "send a datagram": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "reach a local socket": "import socket; socket.socket(socket.AF_UNIX)",
    "start a program": "import subprocess; subprocess.run(['/bin/ls'], check=True)",
    "fork": "import os; os.fork()",
    "leave the group": "import os; os.setsid()",
    "signal": "import os; os.kill({pid}, 0)",
    "look at us": "open('/proc/{pid}/environ').read()",
    "follow our root": "open('/proc/{pid}/root/etc/passwd').read()",
    "limit us": "import resource; resource.prlimit({pid}, resource.RLIMIT_CORE, (0, 0))",
    "slow us": "import os; os.setpriority(os.PRIO_PROCESS, {pid}, 19)",
    "trace us": "import ctypes; assert ctypes.CDLL(None).ptrace(16, {pid}, 0, 0) == 0",
    "new namespaces": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "a ring": "import ctypes; assert ctypes.CDLL(None).syscall(425, 8, bytes(120)) >= 0",
    "much memory": "bytearray(64 << 30)",
    "a large file": "f = open('x', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20))",
}


@pytest.mark.parametrize("escape", ESCAPES)
def test_code_gets_out_nowhere(kind, tmp_path, escape) -> None:
    (tmp_path / "private.txt").write_text("canary")
    code = ESCAPES[escape].format(workspace=str(tmp_path / "private.txt"), pid=os.getpid())
    ran = run(f"{code}\nprint('OUT')", timeout=60)
    assert ran.isolation == kind
    assert ran.status != 0, ran.output
    assert "OUT" not in ran.output
    assert "canary" not in ran.output
    assert (tmp_path / "private.txt").read_text() == "canary"


def test_nothing_of_the_environment_is_there(kind, monkeypatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "canary")
    ran = run("import os; print(sorted(os.environ)); print(open('/proc/self/environ').read())")
    assert ran.status == 0
    assert "canary" not in ran.output
    assert not any(name in ran.output for name in ("MY_API_KEY", "PYTHONPATH", "VIRTUAL_ENV"))


def test_a_bubble_shares_no_space_of_names_with_us() -> None:
    if shutil.which("bwrap") is None or not jail._works("bubblewrap"):
        pytest.skip("bubblewrap does not work on this machine")
    names = ("ipc", "mnt", "net", "pid", "user", "uts")
    code = f"import os\nfor n in {names}: print(os.readlink(f'/proc/self/ns/{{n}}'))"
    folder = jail._folder(code, {})
    command = jail._command("bubblewrap", folder, 60)
    ran = subprocess.run(
        command,
        capture_output=True,
        env=jail._environment(folder),
        cwd=folder,
        check=True,
        text=True,
    )
    inside_ = ran.stdout.split()
    assert len(inside_) == len(names)
    ours = {str(Path(f"/proc/self/ns/{name}").readlink()) for name in names}
    assert not ours & {*inside_}


def test_useful_work_is_done(kind) -> None:
    ran = run(
        "import asyncio, threading, polars as pl\n"
        "t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()\n"
        "print(asyncio.run(asyncio.sleep(0, 'awaited')))\n"
        "open('x.txt', 'w').write('kept'); print(open('x.txt').read())\n"
        "print(pl.read_csv('in.csv')['a'].sum())",
        files={"in.csv": b"a\n1\n2\n"},
    )
    assert (ran.status, ran.output.split()) == (0, ["thread", "awaited", "kept", "3"])
    assert not folders()


def test_an_error_is_told_with_its_line(kind) -> None:
    ran = run("x = 1\nx / 0")
    assert ran.status == 1
    assert ran.output.strip().endswith("ZeroDivisionError: division by zero")
    assert "line 2" in ran.output


def test_what_takes_too_long_is_killed(kind) -> None:
    ran = run("print('begun', flush=True)\nwhile True: pass", timeout=1.5)
    assert ran.is_late
    assert ran.status < 0
    assert not folders()


def test_a_cancelled_call_leaves_nothing(kind, monkeypatch) -> None:
    processes: list[int] = []
    read = jail._read

    async def work() -> None:
        begun = asyncio.Event()

        async def begin(stream: Any, kept: bytearray) -> bool:
            begun.set()
            return await read(stream, kept)

        monkeypatch.setattr(jail, "_read", begin)
        task = asyncio.create_task(jail.run_jailed("while True: pass", timeout=600))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    kill = jail._kill_group
    monkeypatch.setattr(jail, "_kill_group", lambda pid: (processes.append(pid), kill(pid)))
    asyncio.run(work())
    assert not folders()
    patience = time.monotonic() + 60
    while running(processes[0]):  # who is killed ends a moment later
        assert time.monotonic() < patience
        time.sleep(0.02)


def running(group: int) -> list[int]:
    """Return the processes of a group that have not ended."""
    found: list[int] = []
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError, psutil.Error):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                found.append(process.pid)
    return found


def test_much_output_is_cut(kind) -> None:
    ran = run("print('x' * 3_000_000)")
    assert (ran.status, ran.is_cut, len(ran.output)) == (0, True, jail.MAX_OUTPUT)


@pytest.fixture
def python(lab):
    """Return `python(code, **tables)`: what the tool says."""

    def use(code: str, /, timeout: float = 60.0, **tables: Any) -> ToolResult:
        async def work(ctx: Any) -> ToolResult:
            made = await python_tool(Reach(ctx, tables=tables), timeout=timeout)
            return await ask(ctx, made, code=code)

        return inside(lab, work)

    return use


def test_the_tool_says_what_isolated_it(kind, python) -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    code = "import polars as pl; print(pl.read_parquet('my_table.parquet')['a'].sum())"
    result = said(python(code, **{"my table": frame}))
    assert result == f"It ended with status 0 (isolated by {kind}).\n3"
    assert refused(python("raise SystemExit(3)")).startswith("It ended with status 3")
    assert refused(python("while True: pass", timeout=1.5)).startswith("It was stopped after 1.5")


@pytest.fixture
def bare(monkeypatch) -> None:
    """Let nothing isolate code."""
    monkeypatch.setattr(jail, "isolation", lambda: "none")
    monkeypatch.setattr("iaiflow_agents.tools.code.isolation", lambda: "none")


def test_without_isolation_nothing_is_run(bare, python, tmp_path) -> None:
    assert "nothing on this machine shuts it in" in refused(
        python(f"open({str(tmp_path / 'out')!r}, 'w')")
    )
    assert not (tmp_path / "out").exists()
    with pytest.raises(NotAllowedError):
        run("print(1)")


def test_without_isolation_it_is_run_where_the_configuration_says_so(
    bare, lab, python, workspace
) -> None:
    (workspace / ".iaiflow").mkdir()
    (workspace / ".iaiflow/config.toml").write_text("[tools.python]\nallow_unsafe = true\n")
    assert said(python("print(6 * 7)")) == "It ended with status 0 (without isolation).\n42"

    async def work(ctx: Any) -> Any:
        return await python_tool(Reach(ctx))

    made = inside(lab, work)
    assert (made.effects, made.sends) == ("write", True)


def test_shut_in_it_does_nothing_to_the_world(kind, lab) -> None:
    async def work(ctx: Any) -> Any:
        return await python_tool(Reach(ctx))

    made = inside(lab, work)
    assert (made.effects, made.sends, made.timeout) == ("none", False, 60.0)
