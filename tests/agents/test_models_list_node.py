"""The node that lists models."""

from __future__ import annotations

from pathlib import Path

import pytest
from agent_runs import agent_lab, one, run
from harness import Secrets
from messages_api import MessagesAPI

from iaiflow_agents.errors import ModelFault
from iaiflow_lab.settings import make_state_dir


def test_models_are_listed_with_limits_and_prices(workspace: Path) -> None:
    (make_state_dir(workspace) / "config.toml").write_text(
        "[prices.claude-sonnet-4-5]\ninput = 7\noutput = 9\n"
    )
    with MessagesAPI() as api:
        flow = one("llm.models", base_url=api.url, key="secret:MINE")
        new, old = run(agent_lab(workspace), flow, secrets=Secrets({"MINE": api.key}))["models"]
    assert (new["id"], new["max_output"]) == ("claude-sonnet-5-5", 128_000)
    assert (new["input_price"], new["output_price"]) == (2, 10)
    assert "effort" in new["capabilities"]
    assert (old["input_price"], old["output_price"]) == (7.0, 9.0)
    assert old["retires_at"] == "2026-11-30"


def test_chat_completions_name_theirs(workspace: Path) -> None:
    with MessagesAPI() as api:
        flow = one("llm.models", model="openai:x", base_url=f"{api.url}/v1", key="secret:MINE")
        said = run(agent_lab(workspace), flow, secrets=Secrets({"MINE": api.key}))["models"]
    assert [each["id"] for each in said] == ["claude-sonnet-5-5", "claude-sonnet-4-5"]


def test_a_service_that_refuses_says_so(workspace: Path) -> None:
    with MessagesAPI() as api:
        flow = one("llm.models", base_url=api.url, key="secret:MINE")
        with pytest.raises(ModelFault, match="refused the key"):
            run(agent_lab(workspace), flow, secrets=Secrets({"MINE": "wrong"}))
