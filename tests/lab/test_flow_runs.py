"""Running a flow in this process: live values, the cache, parts of a flow, failures, cancelling."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from iaiflow_lab import Context, Flow, Lab, node, run
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.lab.failure import FlowCancelledError, FlowFailedError
from iaiflow_lab.lab.run import Run


class Thing:
    """No JSON, no table: it can only stay alive."""


@node
def make(*, kind: str = "thing") -> object:
    return Thing()


@node
def same(value: object) -> object:
    return value


@node
def add(a: int, *, n: int = 1) -> int:
    print(f"adding {n}")
    return a + n


@node
def divide(a: int, b: int) -> float:
    return a / b


@node
def number(*, n: int) -> int:
    return n


@node
def wait_for_cancel(ctx: Context) -> None:
    Lab().runs.cancel(ctx.run_id)
    while True:
        ctx.raise_if_cancelled()


@pytest.fixture(autouse=True)
def _in_a_workspace(here: Path) -> None:
    """Every test here has one."""


def chain() -> Flow:
    with Flow("Chain", parameters={"base": {"type": "integer", "default": 1}}) as flow:
        first = flow.add("cell.add", id="first", a=flow.params["base"], n=1)
        flow.add("cell.add", id="second", a=first, n=10)
    return flow


def test_values_are_the_live_objects():
    with Flow("Alive") as flow:
        same(make())
    done = flow.run()
    assert isinstance(done["make"].value, Thing)
    assert done["same"].value is done["make"].value
    assert done.outputs["same"] is done["make"].value


def test_unchanged_nodes_keep_their_values_and_fresh_runs_anyway():
    with Flow("Alive") as flow:
        same(make())
    first, second = flow.run(), flow.run()
    assert second["make"].value is first["make"].value
    assert {step.source for step in second} == {"cache"}
    third = flow.run(fresh=True)
    assert third["make"].value is not first["make"].value
    assert {step.source for step in third} == {"executed"}


def test_parameters_reach_the_flow_and_logs_stay_with_their_step():
    done = chain().run(base=5)
    assert done["second"].value == 16
    assert done["second"].logs == "adding 10\n"
    assert [step.path for step in done] == ["first", "second"]
    assert repr(done).startswith(f"<run {done.id} of 'Chain': completed, 2 steps, ")


def test_a_parameter_may_have_the_name_of_a_keyword():
    with Flow("Names", parameters={"until": {"type": "integer"}}) as flow:
        flow.add("cell.add", id="add", a=flow.params["until"])
    assert flow.run({"until": 3})["add"].value == 4


def asking(count: int) -> Flow:
    with Flow("Asking") as flow:
        for n in range(count):
            script = [{"text": "Fine."}]
            flow.add("llm.prompt", id=f"n{n}", prompt="Well?", model="scripted", script=script)
    return flow


def test_a_budget_holds_for_all_models_of_a_run():
    done = asking(2).run(budget={"calls": 2})
    assert Lab().runs.get(done.id).budget == {"calls": 2}
    assert Lab().runs.get(done.id).tokens > 0
    with pytest.raises(FlowFailedError, match="limit of 2 calls of models for the run"):
        asking(3).run(budget={"calls": 2}, fresh=True)
    with pytest.raises(InputError, match=r"0\.5 is no budget"):
        asking(1).run(budget=0.5)
    queued = Lab().runs.start(asking(1), budget={"cost": 2})
    assert Lab().runs.get(queued).budget == {"cost": 2.0}


def test_run_to_here_and_from_here():
    flow = chain()
    assert [step.path for step in flow.run(base=2, until="first")] == ["first"]
    done = flow.run(start="second")
    assert done["second"].value == 13  # 1 + 2 of the run before, and 10
    assert done["first"].source == "earlier"


def test_a_pin_stands_in_for_a_call():
    with Flow("Pinned") as flow:
        pinned = flow.add("cell.number", id="pinned", n=1, pin={"out": 40})
        flow.add("cell.add", id="after", a=pinned, n=2)
    done = flow.run()
    assert done["after"].value == 42
    assert done["pinned"].source == "pin"


def test_the_run_is_in_the_history():
    done = chain().run()
    found = Lab().runs.get(done.id)
    assert (found.state, found.flow) == ("completed", "Chain")
    assert [step.step for step in found.steps] == ["first", "second"]
    assert Lab().runs.logs(done.id, "first") == "adding 1\n"
    assert found.outputs["second"].inline == 12


def test_a_saved_flow_is_named_by_its_path():
    flow = chain()
    flow.save("chain.flow.json")
    assert Lab().runs.get(flow.run().id).flow == "chain.flow.json"
    flow.add("cell.number", id="more", n=3)
    assert Lab().runs.get(flow.run().id).flow == "Chain"  # not what the file says any more
    Path("chain.flow.json").write_text("{")
    assert Lab().runs.get(flow.run().id).flow == "Chain"


def test_run_takes_flows_and_paths():
    path = chain().save()
    assert run(path, base=3)["second"].value == 14
    assert run(str(path), base=3)["second"].value == 14
    assert run(chain().build())["second"].value == 12


def test_a_map_shows_its_items():
    with Flow("One", parameters={"item": {"type": "integer"}}) as one:
        one.add("cell.add", id="add", a=one.params["item"])
    with Flow("All", parameters={"items": {"type": "array"}}) as flow:
        flow.add("map", id="each", items=flow.params["items"], body=one, concurrency=2)
    done = flow.run(items=[1, 2, 3])
    assert done["each"].outputs["out"] == [2, 3, 4]
    assert done["each[2]/add"].value == 4


def test_a_failure_names_the_node_and_shows_user_lines_only():
    with Flow("Broken") as flow:
        divide(number(n=1), number(n=0, id="zero"), id="ratio")
    with pytest.raises(FlowFailedError, match="Node 'ratio' failed: ZeroDivisionError") as caught:
        flow.run()
    failed: Run = caught.value.run
    assert failed.state == "failed"
    assert failed["zero"].value == 0
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    text = caught.value.text()
    assert "in divide\n    return a / b\n" in text
    assert text.count("File ") == 1
    assert "iaiflow_lab" not in text
    with pytest.raises(NotFoundError, match="'ratio' has no value; it is failed"):
        _ = failed["ratio"].value
    assert Lab().runs.get(failed.id).state == "failed"


def test_values_of_a_failed_run_serve_the_next_one():
    broken = [True]

    @node(effects="write")
    def expensive() -> object:
        return Thing()

    @node(effects="write")
    def fragile(value: object) -> object:
        if broken:
            raise ValueError("not yet")
        return value

    with Flow("Repair") as flow:
        fragile(expensive())
    with pytest.raises(FlowFailedError) as caught:
        flow.run()
    broken.clear()
    done = flow.run(start="fragile")
    assert done["fragile"].value is caught.value.run["expensive"].value


def test_a_script_ends_with_the_users_lines_only(here: Path):
    script = here / "broken.py"
    script.write_text(
        "from iaiflow_lab import Flow, node\n"
        "@node\n"
        "def broken(*, n: int = 0) -> float:\n"
        "    return 1 / n\n"
        "with Flow('Script') as flow:\n"
        "    broken()\n"
        "flow.run(show=False)\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    head, _, trace = done.stderr.partition("\n\n")
    assert head == "FlowFailedError: Node 'broken' failed."
    assert [line.strip() for line in trace.splitlines() if "~" not in line] == [
        f'File "{script}", line 4, in broken',
        "return 1 / n",
        "ZeroDivisionError: division by zero",
    ]


@pytest.mark.parametrize("call", ["flow.run(show=False, bsae=1)", "Lab('missing')"])
def test_a_refusal_ends_a_script_with_one_sentence_and_the_users_line(here: Path, call: str):
    script = here / "refused.py"
    script.write_text(
        f"from iaiflow_lab import Flow, Lab\nwith Flow('Script') as flow:\n    pass\n{call}\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    place, line, *rest = [line.strip() for line in done.stderr.splitlines() if line.strip(" ^~")]
    assert (place, line) == (f'File "{script}", line 4, in <module>', call)
    (sentence,) = rest
    assert sentence.startswith(("InputError: ", "NotFoundError: "))


def test_wrong_inputs_are_refused_and_leave_no_run():
    with pytest.raises(InputError, match="'base'"):
        chain().run(base="many")
    with pytest.raises(InputError, match="bsae"):
        chain().run(bsae=1)
    assert Lab().runs.ls() == []


def test_unknown_targets_are_refused_and_leave_no_run():
    with pytest.raises(NotFoundError, match="no node 'scond' in 'Chain'"):
        chain().run(until=["first", "scond"])
    with pytest.raises(InputError, match=r"a parameter of this name goes into run\({'start': "):
        chain().run(start=5)
    assert Lab().runs.ls() == []


def test_a_wrong_configuration_leaves_a_failed_run():
    with Flow("Wrong") as flow:
        flow.add("table.read", id="read", path="missing.csv")
    with pytest.raises(FlowFailedError, match=r"Node 'read' failed: .*missing\.csv"):
        flow.run()
    assert [found.state for found in Lab().runs.ls()] == ["failed"]


def test_arun_leaves_the_loop_free():
    async def main() -> tuple[Run, Run]:
        flow = chain()
        return await asyncio.gather(flow.arun(base=1), flow.arun(base=2))

    first, second = asyncio.run(main())
    assert (first["second"].value, second["second"].value) == (12, 13)


def test_cancelling_the_task_cancels_the_run():
    started = asyncio.Event()

    @node(loop="kernel")
    async def endless() -> None:
        started.set()
        await asyncio.Event().wait()

    with Flow("Endless") as flow:
        endless()

    async def main() -> None:
        task = asyncio.create_task(flow.arun())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (found,) = Lab().runs.ls()
    assert found.state == "cancelled"


def test_a_run_can_be_cancelled_from_outside():
    with Flow("Stop") as flow:
        wait_for_cancel()
    with pytest.raises(FlowCancelledError) as caught:
        flow.run()
    assert caught.value.run.state == "cancelled"
    assert Lab().runs.get(caught.value.run.id).state == "cancelled"


def test_a_node_cannot_run_a_flow():
    inner = chain()

    @node
    def nested() -> int:
        return inner.run()["second"].value

    with Flow("Outer") as flow:
        nested()
    with pytest.raises(FlowFailedError, match=r"can't call Flow\.run\(\).*ctx\.run_flow"):
        flow.run()


def test_plain_lines_follow_the_run(capsys: pytest.CaptureFixture[str]):
    done = chain().run()
    lines = capsys.readouterr().err.splitlines()
    assert "first | adding 1" in lines
    assert [line.split(" in ")[0] for line in lines if "completed in" in line] == [
        "first completed",
        "second completed",
    ]
    assert lines[-1].startswith("Chain: completed · ")
    assert lines[-1].endswith(done.id)
    chain().run(show=False)
    assert capsys.readouterr().err == ""


def test_an_unknown_step_is_named():
    done = chain().run()
    with pytest.raises(NotFoundError, match="Did you mean 'first'"):
        _ = done["frist"]
