from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.channels import HBChannel

from iaiflow_lab.errors import (
    InputError,
    LabError,
    NotebookError,
    RunCancelledError,
    StaleFenceError,
)
from iaiflow_lab.model.event import CellFinished, CellOutput, CellStarted, EnvironmentRecorded
from iaiflow_lab.notebook import client
from iaiflow_lab.notebook.kernels import KernelMissingError
from iaiflow_lab.notebook.runner import NotebookLimits, run_notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("start"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own imports
]


def states(context) -> list[str]:
    return [event.state for event in context.events if isinstance(event, CellFinished)]


def outputs(path: Path, index: int) -> list[dict]:
    return json.loads(path.read_text())["cells"][index]["outputs"]


def text(path: Path, index: int) -> str:
    return "".join("".join(o.get("text", [])) for o in outputs(path, index))


def in_thread(path, context, **options) -> tuple[threading.Thread, list[BaseException]]:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run_notebook(path, {}, context, **options)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


def test_a_run_is_live_typed_and_leaves_its_source_alone(context, write_notebook):
    path = write_notebook(
        ("limit: int = 1", ["parameters"]), "import os; print(os.getcwd())", "limit + 1"
    )
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    result = run_notebook(path, {"limit": 41}, context)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert result.parameters == {"limit": 41}
    assert result.output == context.run_dir / "report" / "made.ipynb"
    assert text(result.output, 2) == f"{path.parent}\n"
    assert outputs(result.output, 3)[0]["data"]["text/plain"] == ["42"]
    assert states(context) == ["completed"] * 4
    assert isinstance(context.events[0], EnvironmentRecorded)
    shown = [event for event in context.events if isinstance(event, CellOutput)]
    assert shown[-1].output["data"] == {"text/plain": "42"}
    with pytest.raises(InputError, match="must be a whole number"):
        run_notebook(path, {"limit": "x"}, context)


def test_parameters_without_a_cell_are_injected_at_the_top_with_a_warning(context, write_notebook):
    result = run_notebook(write_notebook("free + '!'"), {"free": "ü\n'\""}, context)
    assert eval(outputs(result.output, 1)[0]["data"]["text/plain"][0]) == "ü\n'\"!"
    assert any("injected at the top" in getattr(event, "text", "") for event in context.events)


def test_a_failing_cell_is_named_with_the_users_traceback(context, write_notebook):
    path = write_notebook(("n = 1", ["parameters"]), "def f():\n    return 1 / 0\n\nf()", "2")
    with pytest.raises(NotebookError) as caught:
        run_notebook(path, {"n": 2}, context)
    assert caught.value.what == "ZeroDivisionError: division by zero"
    assert caught.value.where == "made.ipynb, cell 2: def f():"
    assert "return 1 / 0" in caught.value.trace
    assert "\x1b" not in caught.value.trace
    assert states(context) == ["completed", "completed", "failed"]
    written = outputs(context.run_dir / "report" / "made.ipynb", 2)
    assert written[0]["ename"] == "ZeroDivisionError"


def test_an_error_in_a_cell_tagged_for_it_is_no_failure(context, write_notebook):
    result = run_notebook(write_notebook(("1 / 0", ["raises-exception"]), "1"), {}, context)
    assert result.cells == 2


@pytest.mark.parametrize("source", ["import sys; sys.exit(0)", "import sys; sys.exit()", "exit()"])
def test_a_notebook_may_end_early(context, write_notebook, source):
    result = run_notebook(write_notebook(source, "raise RuntimeError"), {}, context)
    assert result.cells == 1


def test_an_exit_with_a_status_is_a_failure(context, write_notebook):
    with pytest.raises(NotebookError, match="SystemExit: 3"):
        run_notebook(write_notebook("import sys; sys.exit(3)"), {}, context)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9, SIGKILL"),
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11, SIGSEGV"),
    ],
)
def test_a_dead_kernel_says_how_it_died(context, write_notebook, source, sentence):
    with pytest.raises(NotebookError) as caught:
        run_notebook(write_notebook("1", source), {}, context)
    assert caught.value.code == "kernel-died"
    assert sentence in caught.value.what
    assert "cell 2" in caught.value.where


def test_no_thread_of_a_client_is_waited_for(context, write_notebook, monkeypatch):
    begin = HBChannel.run

    def begin_late(self) -> None:
        self._exit.wait()  # as on a machine that is busy with something else
        begin(self)

    monkeypatch.setattr(HBChannel, "run", begin_late)
    assert run_notebook(write_notebook("1"), {}, context).cells == 1


def test_a_missing_kernel_is_another_thing(context, write_notebook):
    path = write_notebook("1", metadata={"kernelspec": {"name": "r", "display_name": "R"}})
    with pytest.raises(KernelMissingError) as caught:
        run_notebook(path, {}, context)
    assert str(caught.value).startswith("Kernel 'r' isn't installed.")
    assert "Choose one of:" in caught.value.remedy
    assert run_notebook(path, {}, context, kernel="python3").kernel == "python3"


def test_a_kernel_that_does_not_start_says_why(context, write_notebook, tmp_path, monkeypatch):
    spec = tmp_path / "jupyter" / "kernels" / "broken" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [sys.executable, "-c", "raise SystemExit('no such library')"]
    spec.write_text(json.dumps({"argv": command, "display_name": "b", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with pytest.raises(NotebookError) as caught:
        run_notebook(write_notebook("1"), {}, context, kernel="broken")
    assert caught.value.code == "kernel-start-failed"
    assert "no such library" in caught.value.remedy


def test_a_home_that_cannot_be_written_is_nothing_to_talk_about(
    context, write_notebook, monkeypatch
):
    monkeypatch.setenv("HOME", "/proc/nobody")
    for name in ("IPYTHONDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    source = "place = get_ipython().ipython_dir\nprint(place)"
    result = run_notebook(write_notebook(source), {}, context)  # a warning would be an error
    (place,) = context.texts(0).split()
    assert not place.startswith("/proc")
    assert not Path(place).exists(), "it goes with the kernel"
    assert (result.output.parent / "kernel.log").read_text() == ""


def test_the_two_time_limits_have_their_own_sentences(context, write_notebook):
    path = write_notebook("import time; time.sleep(600)")
    with pytest.raises(NotebookError, match="The cell ran longer than 1 s") as caught:
        run_notebook(path, {}, context, limits=NotebookLimits(cell=1))
    assert caught.value.where == "made.ipynb, cell 1: import time; time.sleep(600)"
    with pytest.raises(NotebookError, match="The notebook ran longer than 4 s") as caught:
        run_notebook(path, {}, context, limits=NotebookLimits(notebook=4))
    assert caught.value.code == "notebook-timeout"
    with pytest.raises(InputError):
        run_notebook(path, {}, context, limits=NotebookLimits(cell=0))


def test_cancellation_ends_the_kernel_and_what_it_started(context, write_notebook):
    path = write_notebook(
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        "print(os.getpid(), child.pid, flush=True)\nchild.wait()"
    )
    thread, raised = in_thread(path, context)
    try:
        context.wait_for(lambda event: isinstance(event, CellOutput))
        pids = [int(word) for word in context.texts(0).split()]
        family = [psutil.Process(pid) for pid in pids]
    finally:
        context.cancelled = True
        thread.join()
    assert isinstance(raised[0], RunCancelledError)
    psutil.wait_procs(family, timeout=60)
    assert not any(_is_alive(pid) for pid in pids)


def test_a_cell_that_ignores_interrupts_is_killed(context, write_notebook, monkeypatch):
    path = write_notebook(
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print('in', flush=True)\nwhile True:\n    time.sleep(1)"
    )
    thread, raised = in_thread(path, context)
    try:
        context.wait_for(lambda event: isinstance(event, CellOutput))
    finally:
        context.cancelled = True
        thread.join()
    assert isinstance(raised[0], RunCancelledError)


def test_the_output_notebook_can_be_read_midway(context, write_notebook):
    path = write_notebook("print('first')", "import time; time.sleep(600)")
    thread, _ = in_thread(path, context)
    output = context.run_dir / "report" / "made.ipynb"
    try:
        context.wait_for(lambda event: isinstance(event, CellStarted) and event.index == 1)
        for _ in range(6_000):  # a minute at least: only a defect takes so long
            if shown := text(output, 0):
                break
            time.sleep(0.01)
    finally:
        context.cancelled = True
        thread.join()
    assert shown == "first\n"


def test_a_flood_is_cut_and_kept_as_an_artifact(context, write_notebook):
    path = write_notebook("for _ in range(200):\n    print('x' * 99_999)", "'still here'")
    result = run_notebook(path, {}, context)
    kept = text(result.output, 0)
    assert "Output cut at 10 MB; full log is an artifact" in kept
    assert 10_000_000 <= len(kept) < 10_001_000
    assert len(context.artifacts["made-cell-1.log"]) == 200 * 100_000
    assert len(context.texts(0)) < 1_100_000
    assert result.cells == 2


def test_progress_bars_are_folded(context, write_notebook):
    source = (
        "import sys\nfor i in range(101):\n    sys.stderr.write(f'\\r{i}%'); sys.stderr.flush()"
    )
    result = run_notebook(write_notebook(source), {}, context)
    assert text(result.output, 0) == "100%"


def test_text_of_every_kind_survives(context, write_notebook):
    path = write_notebook("print('héllo 世界 🎈')\n'\\ud800'")
    result = run_notebook(path, {}, context)
    assert text(result.output, 0) == "héllo 世界 🎈\n"


def test_text_that_a_kernel_cannot_send_ends_nothing(context, write_notebook, monkeypatch):
    # ipykernel waits for it, several times, and may never say that the cell's last output has come.
    monkeypatch.setattr(client, "_OUTPUTS", 1)
    wait = "import sys\nsys.stdout.flush_timeout = sys.stderr.flush_timeout = 0.1"
    path = write_notebook(wait, "print('a\\ud800b')", "open('after', 'w').close()")
    assert run_notebook(path, {}, context).cells == 3
    assert (path.parent / "after").exists()


def test_exit_handlers_of_the_kernel_run(context, write_notebook, tmp_path):
    path = write_notebook("import atexit\natexit.register(lambda: open('bye', 'w').close())")
    run_notebook(path, {}, context)
    assert (tmp_path / "bye").exists()


def test_a_folder_with_a_long_or_odd_name_does_not_matter(context, write_notebook, tmp_path):
    folder = tmp_path / ("a b {x} " + "n" * 120)
    folder.mkdir()
    path = write_notebook("1 + 1").rename(folder / "my {y} notebook.ipynb")
    assert run_notebook(path, {}, context).output.name == "my {y} notebook.ipynb"


def test_a_stale_fence_in_the_kernel_ends_the_notebook(context, write_notebook):
    context.given.is_stale = True
    path = write_notebook(
        "import signal, time\n"
        "from iaiflow_lab.notebook.inside import current_run\n"
        "usual = signal.signal(signal.SIGINT, signal.SIG_IGN)\n"  # one follows at once
        "try:\n    current_run().open_call('v1', {})\n"
        "except Exception as error:\n    print(type(error).__name__, flush=True)\n"
        "signal.signal(signal.SIGINT, usual)\n"
        "time.sleep(600)"
    )
    with pytest.raises(StaleFenceError):
        run_notebook(path, {}, context)
    assert context.texts(0) == "StaleFenceError\n"


def test_a_flow_call_in_the_kernel_belongs_to_the_run_and_its_cell(context, write_notebook):
    path = write_notebook(
        "from iaiflow_lab.notebook.inside import current_run",
        "run = current_run()\nprint(run.run_id, run.open_call('v1', {'x': 1}).prefix)",
    )
    result = run_notebook(path, {}, context)
    assert text(result.output, 1) == "run_1 report/1:\n"
    assert context.given.events[0].output.inline["cell"] == "c1"


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from iaiflow_lab.notebook.runner import run_notebook
import importlib.util
spec = importlib.util.spec_from_file_location("fakes", {tests!r} + "/conftest.py")
fakes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fakes)
run_notebook(Path({path!r}), {{}}, fakes.FakeContext(Path({folder!r})))
"""


def test_nothing_outlives_a_killed_worker(write_notebook, tmp_path, monkeypatch):
    """The cell holds the interpreter, so that the kernel itself can notice nothing."""
    os.mkfifo(tmp_path / "ready")
    runtime = Path(tempfile.mkdtemp())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    path = write_notebook(
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        "open('ready', 'w').write(f'{os.getpid()} {child.pid}')\n"
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')"
    )
    script = WORKER.format(tests=str(Path(__file__).parent), path=str(path), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script]) as worker:
        pids = [int(word) for word in (tmp_path / "ready").read_text().split()]
        assert all(map(_is_alive, pids))
        worker.send_signal(signal.SIGKILL)
    started = [p for p in psutil.process_iter() if p.pid in pids or str(runtime) in _command(p)]
    psutil.wait_procs(started, timeout=60)
    assert not any(map(_is_alive, pids))
    runtime.rmdir()  # nothing is left in it


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_papermill_finds_the_engine_by_name(write_notebook, tmp_path):
    from papermill import execute_notebook

    path = write_notebook(
        "print('by name')", metadata={"kernelspec": {"name": "python3", "display_name": "p"}}
    )
    output = tmp_path / "out.ipynb"
    execute_notebook(str(path), str(output), engine_name="iaiflow", progress_bar=False)
    assert text(output, 0) == "by name\n"


def test_every_error_is_a_sentence(context, write_notebook, tmp_path):
    with pytest.raises(LabError, match="no such notebook"):
        run_notebook(tmp_path / "none.ipynb", {}, context)


def test_a_kernel_on_another_interpreter_is_asked_what_it_consists_of(
    context, write_notebook, tmp_path, monkeypatch
):
    spec = tmp_path / "jupyter" / "kernels" / "other" / "kernel.json"
    spec.parent.mkdir(parents=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    content = {"argv": ["/usr/bin/env", *launch], "display_name": "o", "language": "python"}
    spec.write_text(json.dumps(content))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = write_notebook("import sys; 'iaiflow_lab' in sys.modules")
    result = run_notebook(path, {}, context, kernel="other")
    facts = [event.facts for event in context.events if isinstance(event, EnvironmentRecorded)]
    assert facts[-1]["kernel_environment"]["executable"] == sys.executable
    assert "ipykernel" in facts[-1]["kernel_environment"]["packages"]
    assert outputs(result.output, 0)[0]["data"]["text/plain"] == ["False"]
