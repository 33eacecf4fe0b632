"""Kernels that are taken from a fork server: what they take on, and what they leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from iaiflow_lab.model.event import CellOutput, EnvironmentRecorded
from iaiflow_lab.notebook import fork_wire, kernel_server, warm_kernels
from iaiflow_lab.notebook.kernel_process import KernelProcess
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.notebook.runner import run_notebook
from iaiflow_lab.settings import Settings, make_state_dir

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own imports
    pytest.mark.skipif(bool(warm_kernels.why_impossible()), reason="nothing can be forked here"),
]

SURROUNDINGS = """
import json, os, signal, sys, __main__
print(json.dumps({
    "cwd": os.getcwd(),
    "argv": sys.argv[0],
    "main": str(__main__.__dict__.get("__file__")),
    "path": sys.path,
    "input": os.read(0, 10).decode(),
    "leader": os.getpid() == os.getpgid(0) == os.getsid(0),
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGCHLD)],
    "environment": {k: v for k, v in os.environ.items() if not k.startswith("IAIFLOW_")},
    "flags": str(sys.flags),
    "dh": [str(p) for p in _dh],
    "limit": __import__("resource").getrlimit(__import__("resource").RLIMIT_NOFILE),
    "history": get_ipython().history_manager.hist_file,
    "zone": __import__("time").tzname,
    "warnings": [str(f[:3]) for f in __import__("warnings").filters],
}))
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for a kernel as long as a busy machine takes to fork it."""
    monkeypatch.setattr(warm_kernels, "_PATIENCE", 60.0)


@pytest.fixture
def warm(shared_server, monkeypatch):
    """Have kernels taken from the shared server."""
    monkeypatch.setenv(fork_wire.SOCKET, str(shared_server.socket))
    return shared_server


def origin(context) -> str:
    facts = [event.facts for event in context.events if isinstance(event, EnvironmentRecorded)]
    return next(fact["kernel_start"] for fact in facts if "kernel_start" in fact)


def text(path: Path, index: int = 0) -> str:
    outputs = json.loads(path.read_text())["cells"][index]["outputs"]
    return "".join("".join(o.get("text", [])) for o in outputs)


def state(server) -> dict:
    return warm_kernels.ask_state(str(server.socket))


def until(condition, what: str):
    for _ in range(6_000):  # a minute at least: only a hang takes so long
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come")


def test_a_kernel_finds_what_one_started_from_nothing_finds(
    context, write_notebook, warm, monkeypatch
):
    path = write_notebook(SURROUNDINGS)
    monkeypatch.setenv("ONLY_HERE", "é\n1")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    found = json.loads(text(run_notebook(path, {}, context).output))
    assert origin(context) == "warm"
    assert found["environment"]["ONLY_HERE"] == "é\n1"
    assert found["zone"] == ["IST", "IST"]
    monkeypatch.setenv(fork_wire.SOCKET, "")
    context.events.clear()
    expected = json.loads(text(run_notebook(path, {}, context).output))
    assert origin(context) == "cold: No fork server is running."
    assert found.pop("environment").items() ^ expected.pop("environment").items() == set()
    assert found == expected


def test_kernels_differ_by_chance(context, write_notebook, warm):
    path = write_notebook(
        "import os, random, tempfile, uuid\n"
        "print(random.random(), uuid.uuid4(), tempfile.mktemp(), os.getpid())"
    )
    found = [text(run_notebook(path, {}, context).output).split() for _ in range(3)]
    assert all(len(set(values)) == 3 for values in zip(*found, strict=True))


def test_each_run_has_a_fresh_kernel(context, write_notebook, warm):
    path = write_notebook("import json\nprint('kept' in dir(json))\njson.kept = True")
    assert [text(run_notebook(path, {}, context).output) for _ in range(3)] == ["False\n"] * 3


def test_the_process_itself_writes_to_the_runs_log(context, write_notebook, warm):
    path = write_notebook("import sys\nprint('a last word', file=sys.__stderr__)\n1")
    result = run_notebook(path, {}, context)
    said = (result.output.parent / "kernel.log").read_text() + text(result.output)
    assert "a last word" in said


def test_takers_side_by_side_get_kernels_of_their_own(context, write_notebook, warm):
    paths = [
        write_notebook(f"import os; print(os.getpid(), {n})", name=f"n{n}.ipynb") for n in range(8)
    ]

    def run(path: Path) -> str:
        own = type(context)(context.folder)
        own.run_dir = context.folder / path.stem
        return text(run_notebook(path, {}, own).output)

    with ThreadPoolExecutor(4) as pool:
        found = [line.split() for line in pool.map(run, paths)]
    assert len({pid for pid, _ in found}) == 8
    assert [int(number) for _, number in found] == list(range(8))


def test_nothing_is_left_of_many_kernels(context, write_notebook, warm, soak):
    path = write_notebook("import subprocess\nsubprocess.Popen(['sleep', '600']).pid")
    run_notebook(path, {}, context)
    until(lambda: state(warm)["ready"] == 1, "The next kernel")
    before = traces(warm)
    for _ in range(soak(50, 250)):
        run_notebook(path, {}, context)
    until(lambda: traces(warm) == before, f"The end of what was started: {before}, {traces(warm)}")


def traces(server) -> dict[str, object]:
    """Count what a leak would add to, here and at the server."""
    process = psutil.Process(server.process.pid)
    family = process.children(recursive=True)
    return {
        "ready": state(server)["ready"],
        "processes": len(family),
        "zombies": sum(map(is_zombie, family)),
        "server's descriptors": process.num_fds(),
        "own descriptors": psutil.Process().num_fds(),
        "folders": len(list(server.socket.parent.iterdir())),
    }


def is_zombie(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return False


def test_a_kernel_inherits_no_descriptor_of_the_server(context, write_notebook, warm):
    path = write_notebook(
        "import os\nfor n in os.listdir('/proc/self/fd'):\n"
        "    try: print(os.readlink(f'/proc/self/fd/{n}'))\n    except OSError: pass"
    )
    theirs = set(text(run_notebook(path, {}, context).output).split())
    descriptors = Path(f"/proc/{warm.process.pid}/fd").iterdir()
    servers = {str(descriptor.readlink()) for descriptor in descriptors}
    assert {link for link in theirs & servers if "socket:" in link or "pipe:" in link} == set()


def test_a_run_goes_on_without_its_server_and_the_next_ones_have_another(
    context, write_notebook, make_server, monkeypatch, is_ready
):
    gate = context.folder / "gate"
    os.mkfifo(gate)
    path = write_notebook(f"print('in', flush=True)\nprint(open({str(gate)!r}).read())")
    quick = write_notebook("1", name="quick.ipynb")
    with make_server() as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        running = pool.submit(run_notebook, path, {}, context)
        context.wait_for(lambda event: isinstance(event, CellOutput))
        first = server.process
        first.kill()
        first.wait()
        gate.write_text("survived")
        assert text(running.result().output) == "in\nsurvived\n"
        assert origin(context) == "warm"
        until(lambda: runs_warm(context, quick), "A kernel from another server")
        assert server.process.pid != first.pid


def runs_warm(context, path: Path) -> bool:
    context.events.clear()
    run_notebook(path, {}, context)
    return origin(context) == "warm"


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from iaiflow_lab.notebook.kernel_process import KernelProcess
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.notebook.runner import run_notebook
from iaiflow_lab.settings import Settings, make_state_dir
import importlib.util
spec = importlib.util.spec_from_file_location("fakes", {tests!r} + "/conftest.py")
fakes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fakes)
run_notebook(Path({path!r}), {{}}, fakes.FakeContext(Path({folder!r})))
"""


def test_nothing_outlives_a_worker_and_its_server_killed_at_once(
    write_notebook, make_server, tmp_path, monkeypatch, is_ready
):
    """The cell holds the interpreter, so that the kernel itself can notice nothing."""
    os.mkfifo(tmp_path / "ready")
    path = write_notebook(
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        "open('ready', 'w').write(f'{os.getpid()} {child.pid}')\n"
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')"
    )
    script = WORKER.format(tests=str(Path(__file__).parent), path=str(path), folder=str(tmp_path))
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        with subprocess.Popen([sys.executable, "-c", script]) as worker:
            pids = [int(word) for word in (tmp_path / "ready").read_text().split()]
            processes = [psutil.Process(pid) for pid in pids]
            assert psutil.Process(pids[0]).ppid() == server.process.pid
            server.process.send_signal(signal.SIGKILL)
            worker.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, timeout=60)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


SUPERVISOR = """
import sys, time
from pathlib import Path
from iaiflow_lab.notebook.kernel_process import KernelProcess
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.notebook.warm_kernels import ask_state
from iaiflow_lab.settings import Settings
with KernelServer(Path({folder!r}), Settings()) as server:
    while not ask_state(str(server.socket))["ready"]:
        time.sleep(0.01)
    print(server.process.pid, server.socket, flush=True)
    time.sleep(600)
"""


def test_a_link_in_the_place_of_the_servers_address_is_not_followed(workspace):
    kept = workspace / "kept"
    kept.write_text("mine")
    address = make_state_dir(workspace) / "warm-kernels"
    address.symlink_to(kept)
    with KernelServer(workspace, Settings()) as server:
        assert address.read_text() == str(server.socket)
    assert kept.read_text() == "mine"


def test_a_server_ends_with_its_supervisor(tmp_path):
    command = [sys.executable, "-c", SUPERVISOR.format(folder=str(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        pid, path = supervisor.stdout.readline().split()
        family = [psutil.Process(int(pid)), *psutil.Process(int(pid)).children()]
        assert len(family) == 2
        supervisor.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    until(lambda: not Path(path).parent.exists(), "The end of its folder")


def test_imports_that_start_threads_or_fail_are_named(
    context, write_notebook, make_server, monkeypatch, tmp_path, is_ready
):
    (tmp_path / "calm.py").write_text("value = 1")
    (tmp_path / "busy.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    (tmp_path / "broken.py").write_text("raise ValueError('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = write_notebook(
        "import sys\n[name in sys.modules for name in ('calm', 'busy', 'broken')]"
    )
    with make_server(warm_imports=["calm", "busy", "broken", "absent"]) as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        result = run_notebook(path, {}, context)
        found = state(server)
    assert origin(context) == "warm"
    shown = json.loads(result.output.read_text())["cells"][0]["outputs"][0]["data"]["text/plain"]
    assert shown == ["[True, True, False]"]
    assert found["late_imports"] == ["busy"]
    assert found["refused_imports"] == {
        "broken": "ValueError: no such luck",
        "absent": "ModuleNotFoundError: No module named 'absent'",
    }


def test_another_environment_at_the_start_is_a_reason_to_start_cold(
    context, write_notebook, warm, monkeypatch
):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    run_notebook(write_notebook("1"), {}, context)
    assert origin(context) == "cold: The fork server was started with another PYTHONHASHSEED."


def test_packages_that_change_make_a_new_server(
    context, write_notebook, make_server, monkeypatch, tmp_path, is_ready
):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    path = write_notebook("1")
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        assert runs_warm(context, path)
        first = server.process
        (packages / "installed.py").touch()
        until(lambda: runs_warm(context, path), "A kernel from another server")
        assert server.process.pid != first.pid
        assert first.wait() == 0


def test_a_kernel_that_died_while_it_waited_is_replaced(
    context, write_notebook, make_server, monkeypatch, is_ready
):
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        for child in psutil.Process(server.process.pid).children():
            child.kill()
        until(lambda: state(server)["ready"] == 0, "The burial")
        assert runs_warm(context, write_notebook("1"))


def test_a_kernel_that_dies_while_it_is_taken_is_a_reason_to_start_cold(
    context, write_notebook, make_server, monkeypatch, is_ready
):
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        (child,) = psutil.Process(server.process.pid).children()
        child.suspend()
        with ThreadPoolExecutor() as pool:
            run = pool.submit(run_notebook, write_notebook("1"), {}, context)
            until(lambda: state(server)["taken"], "The taker")
            child.kill()
            run.result()
        assert origin(context) == "cold: The kernel ended while it was being taken."


def test_a_server_without_descriptors_refuses_and_rests(make_server, is_ready):
    with make_server() as server, ExitStack() as lines:
        until(lambda: is_ready(server), "A kernel")
        path, process = str(server.socket), psutil.Process(server.process.pid)
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 2, 100))
        while "refused" not in (answer := ask(lines, path)):
            assert answer["ready"]  # it is served, and keeps a descriptor
        answers = [answer, ask(lines, path), ask(lines, path)]
        why = "The fork server cannot serve more: Too many open files."
        assert answers == [{"refused": why}] * 3
        with pytest.raises(warm_kernels.ColdError, match=why):
            warm_kernels.ask_state(path)
        lines.close()
        assert until(lambda: is_ready(server), "Its answer")
        assert server.process.pid == process.pid


def ask(lines: ExitStack, path: str) -> dict:
    """Ask a server how it is, on a line that stays open."""
    line = lines.enter_context(fork_wire.new_socket())
    line.settimeout(60)
    line.connect(path)
    fork_wire.send(line, {"ask": "state"})
    return fork_wire.receive(line)[0]


def test_a_kernel_that_dies_before_the_first_cell_is_replaced_by_a_cold_one(
    context, write_notebook, make_server, monkeypatch, is_ready
):
    answer = KernelProcess._await_ready

    async def die_once(self, timeout: float) -> None:
        if self.origin == "warm":
            os.kill(self.manager.provisioner.pid, signal.SIGKILL)
            await self.died.wait()
        await answer(self, timeout)

    monkeypatch.setattr(KernelProcess, "_await_ready", die_once)
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        source = "from iaiflow_lab.notebook import inside\nprint(inside.current_run().run_id)"
        result = run_notebook(write_notebook(source), {}, context)
    assert origin(context).startswith("cold: The warm kernel failed: ")
    assert text(result.output) == "run_1\n"


def test_a_server_that_outlasts_its_context_ends_in_order(
    tmp_path, make_server, monkeypatch, is_ready
):
    monkeypatch.setattr(kernel_server, "_END", 0.0)
    with make_server() as server:
        until(lambda: is_ready(server), "A kernel")
        order = warm_kernels.Order(str(tmp_path), dict(os.environ), {})
        kernel, _ = asyncio.run(warm_kernels.take(str(server.socket), order, (1, 2)))
    kernel.kill()
    kernel.close()
    server._thread.join()  # an exception in it fails this test
    assert server.process.returncode == 0


def test_what_is_looked_at_stays_and_what_was_said_before_leaving_is_heard():
    ours, theirs = fork_wire.pair()
    with ours:
        fork_wire.send(theirs, {"refused": "why"})
        fork_wire.send(ours, {"ask": "state"})  # nobody hears it
        theirs.close()
        fork_wire.send(ours, {"ask": "state"})
        assert fork_wire.peek(ours) == fork_wire.peek(ours) == {"refused": "why"}
        assert fork_wire.receive(ours) == ({"refused": "why"}, [])
        with pytest.raises(fork_wire.WireError, match="closed"):
            fork_wire.receive(ours)


@pytest.fixture
def ended_kernel():
    """Return a kernel whose process has ended, and its server's end of the line."""
    ours, theirs = fork_wire.pair()
    with subprocess.Popen([sys.executable, "-c", ""]) as process, ours:
        kernel = warm_kernels.WarmKernel(theirs, os.open(os.devnull, os.O_RDONLY), process.pid)
        yield kernel, ours
        kernel.close()
        assert kernel.wait() == kernel.poll()


def test_an_exit_status_that_somebody_else_has_seen_ends_the_wait_for_it(ended_kernel, monkeypatch):
    kernel, server = ended_kernel
    readable = warm_kernels._readable

    async def wait() -> int:
        listens = asyncio.Event()

        async def noted(source) -> None:
            if source is kernel._line:
                asyncio.get_running_loop().call_soon(listens.set)
            await readable(source)

        monkeypatch.setattr(warm_kernels, "_readable", noted)
        waiting = asyncio.create_task(kernel.ended())
        await listens.wait()
        fork_wire.send(server, {"status": -9})
        assert kernel.poll() == -9
        return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(wait()) == -9
    assert kernel.wait() == -9


def test_a_server_that_does_not_say_how_a_kernel_ended_is_not_waited_for(ended_kernel, monkeypatch):
    monkeypatch.setattr(warm_kernels, "_PATIENCE", 0.01)
    kernel, _ = ended_kernel
    assert asyncio.run(kernel.ended()) == warm_kernels.STATUS_UNKNOWN
    assert kernel.wait() == kernel.poll() == warm_kernels.STATUS_UNKNOWN


def test_a_stopped_server_holds_up_no_run(
    context, write_notebook, make_server, monkeypatch, is_ready
):
    path = write_notebook("import os\nos.kill(os.getppid(), 19)")
    with make_server() as server:
        monkeypatch.setenv(fork_wire.SOCKET, str(server.socket))
        until(lambda: is_ready(server), "A kernel")
        monkeypatch.setattr(warm_kernels, "_PATIENCE", 5.0)  # it is waited for in vain
        run_notebook(path, {}, context)
        assert origin(context) == "warm"
        server.process.send_signal(signal.SIGCONT)


def test_others_find_the_server_of_the_workspace(make_server, monkeypatch):
    monkeypatch.delenv(fork_wire.SOCKET, raising=False)
    with make_server() as server:
        monkeypatch.chdir(server._address.parent.parent)
        assert warm_kernels.find_server() == str(server.socket)
    assert warm_kernels.find_server() == ""


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "x"], ""),
        ([sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "x"], ""),
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "x", "--debug"], "of its own"),
        ([sys.executable, "-m", "other", "-f", "x"], "of its own"),
        (["/usr/bin/env", sys.executable, "-m", "ipykernel_launcher", "-f", "x"], "interpreter"),
        ([], "interpreter"),
    ],
)
def test_which_commands_start_what_a_forked_kernel_is(command, reason):
    found = warm_kernels.why_other(command)
    assert reason in found
    assert bool(found) == bool(reason)
