"""Workers of agents that are killed from outside, at any moment, while they speak to a model.

The model is a server that numbers what it says, the tool keeps a book of its own: so what was done
is known without asking the journal, and each thing that the journal holds was done last by the one
that recorded it.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, defaultdict
from random import Random

import messages_face
import pytest
from messages_api import MessagesAPI, call, say
from worker_mother import Mother

from iaiflow_agents import prices
from iaiflow_agents.usage import Usage
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState
from iaiflow_lab.service import history, secrets, waits

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3_600)]

MODEL = "claude-sonnet-5-5"
TOOLS = """
import os
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


@node("toy.send", effects="write")
def send(ctx: Context, *, text: str) -> str:
    \"\"\"Send a text.\"\"\"
    with (ctx.workspace / "sent.txt").open("a") as out:
        out.write(f"{ctx.run_id} {text} {ctx.idempotency_key} {os.environ['WORKER']}\\n")
    return f"sent by {os.environ['WORKER']}"
"""


class Model:
    """What the server says: numbered, and noted with the worker that asked."""

    def __init__(self, api: MessagesAPI) -> None:
        self._api = api
        #: Number of the answer and worker, by the run's name and how many answers it had before.
        self.said: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        api.answer = self.answer

    def answer(self, body):
        seen = next(seen for seen in reversed(self._api.seen) if seen.body is body)
        name = body["messages"][0]["content"][0]["text"]
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        with self._api.news:
            number = sum(map(len, self.said.values())) + 1
            self.said[name, turn].append((number, int(seen.headers["x-worker"])))
        calls = [
            [call("probe_step"), call("probe_step", before=3)],
            [call("toy_send", text="a"), call("toy_send", text="b")],
            [call("probe_step", before=8)],
            [],
        ][turn]
        return say(f"{number} of {name}. " + "And so on. " * 20, *calls)


@pytest.fixture
def agents(make_site):
    """Return a workspace, its model and its workers."""
    site = make_site(lease_s=600.0, durability="sync", max_attempts=1_000)
    (site.folder / "flow_nodes" / "toys.py").write_text(TOOLS)
    with MessagesAPI() as api, Mother(site.folder) as mother:
        secrets.put(site.session, "KEY", api.key, "anna")
        yield site, api, mother


def agent(api, name):
    config = {
        "prompt": name,
        "model": MODEL,
        "base_url": api.url,
        "key": "secret:KEY",
        "tools": ["node:probe.step", "node:toy.send"],
        "policy": ["allow: node:probe.step"],
    }
    nodes = {"n": {"type": "agent", "config": config}}
    return {"format": "iaiflow/1", "name": name, "nodes": nodes, "edges": []}


def test_kills_from_outside_at_any_moment(agents, soak):
    site, api, mother = agents
    model, rng = Model(api), Random(11)
    killed, workers, wanted = 0, 0, soak(20, 200)
    while killed < wanted:
        name = f"Run {workers}"
        run_id = site.start(agent(api, name))
        in_a_row = 0
        while site.state(run_id) is not RunState.COMPLETED:
            workers += 1
            mother.start(WORKER=str(workers), ANTHROPIC_CUSTOM_HEADERS=f"x-worker: {workers}")
            if in_a_row < 8:
                wait_for_a_moment(mother, api, rng)
                os.kill(mother.pid, signal.SIGKILL)
            status = mother.status()
            assert status in {0, -signal.SIGKILL}
            killed += status != 0
            in_a_row = in_a_row + 1 if status else 0
            site.session.coordinator.sweep()
            assert site.state(run_id) is not RunState.FAILED, site.run(run_id).error
            if site.state(run_id) is RunState.WAITING:
                waits.approve(site.session, run_id, "n")
        check(site, model, name, run_id)


def wait_for_a_moment(mother, api, rng):
    """Wait until the worker is somewhere: at its start, or after some requests; or has ended."""
    until = len(api.seen) + rng.choice([0, 1, 1, 2])
    while len(api.seen) < until and not mother.has_ended:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.1 if until else 0.3))


def check(site, model, name, run_id):
    """Check what the journal says against what the server and the tool say."""
    site.check_promise(run_id)
    events = [event for _, event in history.events(site.session, run_id)]
    records = {e.key: e.output.inline for e in events if isinstance(e, ev.SubstepRecorded)}
    keys = Counter(e.key for e in events if isinstance(e, ev.SubstepRecorded))
    assert set(keys.values()) == {1}
    for turn in range(4):
        record = records[f"model:{turn + 1}"]
        recorded = int(record["content"][0]["text"].split()[0])
        by = dict(model.said[name, turn])
        assert by[recorded] == max(by.values()), "asked again although the answer was recorded"
        assert set(Counter(by.values()).values()) == {1}, "asked twice by one worker"
        assert record["usage"]["output"] == messages_face.tokens(record["content"])
    check_totals(events, [record for key, record in records.items() if key.startswith("model:")])
    check_tools(site, run_id, records)
    asked = [e.key for e in events if isinstance(e, ev.StepWaiting)]
    answered = Counter(e.key for e in events if isinstance(e, ev.WaitAnswered))
    assert set(answered) == set(asked)
    assert list(answered.values()) == [1, 1]


def check_totals(events, answers):
    (end,) = [e for e in events if isinstance(e, ev.StepFinished) and e.step == "n"]
    totals = end.outputs["usage"].inline
    used = [Usage.from_dict(answer["usage"]) for answer in answers]
    assert totals["steps"] == 4
    assert totals["input"] == sum(one.all_input for one in used)
    assert totals["output"] == sum(one.output for one in used)
    assert totals["cost"] == pytest.approx(sum(prices.cost(MODEL, one) for one in used))


def check_tools(site, run_id, records):
    tools = {key: record for key, record in records.items() if key.startswith("tool:")}
    assert len(tools) == 5
    book = [line.split() for line in (site.folder / "sent.txt").read_text().splitlines()]
    made = defaultdict(list)
    for run, text, key, worker in book:
        if run == run_id:
            made[text, key].append(int(worker))
    assert sorted(text for text, _ in made) == ["a", "b"]  # made again, a call has its old key
    sent = Counter(r["content"].split()[-1] for r in tools.values() if "sent by" in r["content"])
    assert sent == Counter(str(max(workers)) for workers in made.values())
    assert all(len(set(workers)) == len(workers) for workers in made.values())


def test_a_batch_whose_sender_is_killed_before_it_knows_is_sent_once(agents):
    site, api, mother = agents
    api.batches.rounds = 0
    api.batches.on_made = lambda _: os.kill(mother.pid, signal.SIGKILL)
    api.answer = lambda body: say(body["messages"][0]["content"][0]["text"])
    asks = {"items": ["a", "b"], "prompt": "What is {{item}}?", "model": MODEL}
    nodes = {
        "n": {"type": "llm.batch", "config": asks | {"base_url": api.url, "key": "secret:KEY"}}
    }
    run_id = site.start({"format": "iaiflow/1", "name": "Batch", "nodes": nodes, "edges": []})
    mother.start()
    assert mother.status() == -signal.SIGKILL
    site.session.coordinator.sweep()
    mother.start()
    assert mother.status() == 0
    assert site.state(run_id) is RunState.COMPLETED, site.run(run_id).error
    (end,) = site.outcomes(run_id)
    assert end.outputs["texts"].inline == ["What is a?", "What is b?"]
    assert len([seen for seen in api.seen if seen.method == "POST"]) == 1
