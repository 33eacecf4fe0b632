"""What calls cost: by the table, by one's own prices, or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_agents.prices import cost, dated, price_of
from iaiflow_agents.usage import Usage
from iaiflow_lab.errors import InputError
from iaiflow_lab.settings import load_settings, make_state_dir

MILLION = 1_000_000


def test_each_kind_of_token_has_its_price() -> None:
    used = Usage(MILLION, MILLION, MILLION, MILLION, MILLION)
    assert cost("claude-opus-5-5", used) == pytest.approx(4 + 5 + 8 + 0.2 + 20)
    assert cost("claude-opus-5-5", used, in_batch=True) == pytest.approx(37.2 / 2)
    assert cost("claude-sonnet-4-5-20250929", used) == cost("claude-sonnet-4-5", used)
    assert cost("claude-haiku-4-5@20251001", used) == cost("claude-haiku-4-5", used)
    assert dated() >= "2026-11-23"


def test_a_long_prompt_may_have_prices_of_its_own() -> None:
    below = cost("claude-haiku-5-5", Usage(input=60_000, cache_read=40_000, output=1000))
    above = cost("claude-haiku-5-5", Usage(input=60_000, cache_read=40_001, output=1000))
    assert below == pytest.approx((60_000 * 0.1 + 40_000 * 0.01 + 1000 * 0.5) / MILLION)
    assert above == pytest.approx((60_000 * 0.5 + 40_001 * 0.05 + 1000 * 2.5) / MILLION)


def test_of_other_models_nothing_is_known() -> None:
    assert cost("some-model", Usage(input=1)) is None
    assert price_of("claude-sonnet-9") is None
    own = {"some-model": {"input": 1.0, "output": 2.0, "cache_read": 0.5}}
    used = Usage(input=MILLION, cache_write_5m=MILLION, cache_read=MILLION, output=MILLION)
    assert cost("some-model", used, own) == pytest.approx(1 + 1 + 0.5 + 2)
    assert cost("claude-opus-5-5", used, {"claude-opus-5-5": {"input": 0, "output": 0}}) == 0


@given(
    st.builds(Usage, *[st.integers(0, 10**9)] * 5), st.builds(Usage, *[st.integers(0, 10**9)] * 5)
)
def test_costs_add_up(one: Usage, other: Usage) -> None:
    price = price_of("claude-sonnet-5-5")
    assert price is not None
    assert price.of(one + other) == pytest.approx(price.of(one) + price.of(other))


def test_a_workspace_says_what_it_pays(workspace: Path) -> None:
    file = make_state_dir(workspace) / "config.toml"
    file.write_text('[prices."qwen2.5"]\ninput = 0\noutput = 0.5\n')
    own = load_settings(workspace).prices
    assert cost("qwen2.5", Usage(input=5, output=2_000_000), own) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("[prices.x]\ninput = 1", "input or output"),
        ("[prices.x]\ninput = 1\noutput = 2\ncached = 3", "cached"),
        ("[prices.x]\ninput = -1\noutput = 2", "input = -1"),
        ("[prices.x]\ninput = inf\noutput = 2", "inf"),
        ("prices = 3", "input or output"),
    ],
)
def test_prices_that_cannot_be_used_are_refused(workspace: Path, said: str, named: str) -> None:
    (make_state_dir(workspace) / "config.toml").write_text(said)
    with pytest.raises(InputError, match=named):
        load_settings(workspace)
