"""Failed calls are tried again as the policy says; a long pause frees the worker."""

from __future__ import annotations

import asyncio
import threading
from random import Random
from typing import Any

import pytest
from harness import Lab, flow, record_of
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.engine import retry
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Node, Retry
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


class Flaky:
    """Fails a number of times, then succeeds; counts calls."""

    def __init__(self, failures: int, error: type[BaseException] = ConnectionError) -> None:
        self.calls = 0
        self.failures = failures
        self.error = error

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"call {self.calls}")
        return self.calls


def flaky_lab(lab: Lab, flaky: Flaky, *, is_async: bool = False) -> Lab:
    @node("t.flaky")
    def sync() -> int:
        return flaky()

    @node("t.flaky")
    async def coroutine() -> int:
        return flaky()

    lab.add(coroutine if is_async else sync)
    return lab


@pytest.mark.parametrize("is_async", [False, True])
def test_it_is_called_again_until_it_succeeds(lab: Lab, is_async: bool) -> None:
    flaky = Flaky(2)
    flaky_lab(lab, flaky, is_async=is_async)
    result = lab.run(flow({"a": Node("t.flaky", retry=Retry(attempts=5, initial=0))}))
    assert result.outputs == {"a": 3}
    assert flaky.calls == 3
    assert result.steps["a"].attempt == 3
    assert [e.attempt for e in lab.journal.of(ev.StepStarted)] == [1, 2, 3]
    retrying = lab.journal.of(ev.StepRetrying)
    assert [(e.attempt, e.error.message) for e in retrying] == [
        (1, "ConnectionError: call 1"),
        (2, "ConnectionError: call 2"),
    ]


def test_it_fails_when_no_attempt_is_left(lab: Lab) -> None:
    flaky = Flaky(9)
    result = flaky_lab(lab, flaky).run(
        flow({"a": Node("t.flaky", retry=Retry(attempts=3, initial=0))})
    )
    assert (result.state, flaky.calls) == ("failed", 3)
    assert result.error is not None
    assert result.error.message == "ConnectionError: call 3"


@pytest.mark.parametrize(
    ("on", "calls"),
    [
        ((), 3),
        (("ConnectionError",), 3),
        (("OSError",), 3),
        (("ValueError",), 1),
        (("ValueError", "ConnectionError"), 3),
    ],
)
def test_only_listed_exceptions_are_worth_it(lab: Lab, on: tuple[str, ...], calls: int) -> None:
    flaky = Flaky(9)
    flaky_lab(lab, flaky).run(
        flow({"a": Node("t.flaky", retry=Retry(attempts=3, initial=0, on=on))})
    )
    assert flaky.calls == calls


@pytest.mark.parametrize("on", ["TimeoutError", "timeout"])
def test_a_timeout_is_worth_it_under_both_names(lab: Lab, on: str) -> None:
    calls: list[int] = []

    @node("t.hang")
    async def hang() -> int:
        calls.append(1)
        await asyncio.Event().wait()
        return 1

    lab.add(hang)
    result = lab.run(
        flow({"a": Node("t.hang", timeout=0.01, retry=Retry(attempts=2, initial=0, on=(on,)))})
    )
    assert len(calls) == 2
    assert result.error is not None
    assert result.error.code == "timeout"


def test_the_node_knows_which_attempt_it_is(lab: Lab) -> None:
    @node("t.third")
    def third(ctx: Context) -> str:
        if ctx.attempt < 3:
            raise RuntimeError
        return f"{ctx.attempt} {ctx.idempotency_key}"

    lab.add(third)
    result = lab.run(flow({"a": Node("t.third", retry=Retry(attempts=3, initial=0))}))
    assert result.outputs["a"].startswith("3 ")


policies = st.builds(
    Retry,
    attempts=st.integers(1, 20),
    backoff=st.sampled_from(["constant", "exponential", "random"]),
    initial=st.floats(0, 1e6),
    max=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)


@given(policies, st.integers(1, 10_000), st.integers())
def test_a_pause_is_never_negative_nor_longer_than_allowed(
    policy: Retry, attempt: int, seed: int
) -> None:
    assert 0 <= retry.pause(policy, attempt, Random(seed)) <= policy.max


@pytest.mark.parametrize(
    ("policy", "pauses"),
    [
        (Retry(backoff="constant", initial=2), [2, 2, 2, 2]),
        (Retry(backoff="exponential", initial=2, max=9), [2, 4, 8, 9]),
        (Retry(backoff="constant", initial=20, max=9), [9, 9, 9, 9]),
    ],
)
def test_how_the_pause_grows(policy: Retry, pauses: list[float]) -> None:
    assert [retry.pause(policy, n, Random(1)) for n in range(1, 5)] == pauses


def test_jitter_and_random_draw_from_the_given_chance() -> None:
    spread = Retry(backoff="constant", initial=10, jitter=0.5)
    drawn = {retry.pause(spread, 1, Random(seed)) for seed in range(100)}
    assert len(drawn) > 90
    assert all(5 <= pause <= 15 for pause in drawn)
    free = Retry(backoff="random", initial=1, max=3)
    drawn = {retry.pause(free, 1, Random(seed)) for seed in range(100)}
    assert all(1 <= pause <= 3 for pause in drawn)
    assert max(drawn) - min(drawn) > 1


def test_a_long_pause_frees_the_worker_and_the_attempts_go_on(lab: Lab) -> None:
    flaky = Flaky(2)
    flaky_lab(lab, flaky)
    made = flow({"a": Node("t.flaky", retry=Retry(attempts=3, initial=3600, max=3600))})
    before = lab.world.clock.now()
    result = lab.run(made)
    assert result.state == "retrying"
    assert result.due is not None
    assert result.due >= before + 3599
    assert lab.states() == {}
    for _ in range(2):
        result = lab.run(made, record=record_of(lab.journal.events))
    assert result.state == "completed"
    assert result.steps["a"].attempt == 3
    assert flaky.calls == 3


def test_the_worker_is_kept_while_something_else_runs(lab: Lab) -> None:
    pausing = threading.Event()
    flaky = Flaky(1)

    @node("t.beside")
    def beside() -> bool:
        return pausing.wait(60)

    def listen(event: Any) -> None:
        if isinstance(event, ev.StepRetrying):
            pausing.set()

    flaky_lab(lab, flaky).add(beside)
    made = flow(
        {"a": Node("t.flaky", retry=Retry(attempts=2, initial=3600, max=3600)), "b": "t.beside"}
    )
    result = lab.run(made, listener=listen)
    assert result.state == "retrying"
    assert lab.states() == {"b": "completed"}


def test_a_person_at_a_kernel_waits_for_short_pauses_only_in_place(lab: Lab) -> None:
    flaky = Flaky(1)
    flaky_lab(lab, flaky)
    made = flow({"a": Node("t.flaky", retry=Retry(attempts=2, initial=3600, max=3600))})
    pausing = threading.Event()

    def listen(event: Any) -> None:
        if isinstance(event, ev.StepRetrying):
            pausing.set()

    handle = lab.start(made, interactive=True, listener=listen)
    assert pausing.wait(60)
    handle.cancel()
    assert handle.wait(60).state == "cancelled"
