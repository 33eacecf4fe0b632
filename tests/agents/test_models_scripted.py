"""Models that play a script, and how models are found by name."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from messages_api import MessagesAPI, call, say

from iaiflow_agents.blocks import assistant, text_of, thinking_of, tool_result, tool_uses, user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models import registry
from iaiflow_agents.models.limits import known, limits
from iaiflow_agents.models.protocol import Delta, Reply, Request
from iaiflow_agents.models.registry import open_model, parse
from iaiflow_lab.errors import NotFoundError

SCRIPT: list[dict[str, Any]] = [
    {"when": {"contains": "HELP"}, "text": "With what?"},
    {"when": {"tool": "sql", "is_error": True}, "text": "It failed: {{last}}"},
    {"thinking": "The table first.", "calls": [{"tool": "sql", "arguments": {"query": "x"}}]},
    {"text": "There are {{last}} rows."},
]


def no_secret(name: str) -> str:
    raise NotFoundError(f"There is no secret {name!r}.")


def play(script: Any, *messages: Any, shown: list[Delta] | None = None) -> Reply:
    client = open_model("scripted", secret=no_secret, script=script)
    assert client.is_scripted
    show = (shown if shown is not None else []).append
    return asyncio.run(client.stream(Request("scripted", list(messages)), show))


def test_a_script_is_played_by_what_was_said() -> None:
    shown: list[Delta] = []
    first = play(SCRIPT, user("Count."), shown=shown)
    assert first.stop_reason == "tool_use"
    assert thinking_of(first.content) == "The table first."
    assert "".join(one.text for one in shown if one.kind == "thinking") == "The table first."
    assert {one.tool for one in shown if one.kind == "tool"} == {"sql"}
    asked = tool_uses(first.content)[0]
    before = [user("Count."), assistant(first.content)]
    done = play(SCRIPT, *before, user([tool_result(asked["id"], "12")]))
    assert text_of(done.content) == "There are 12 rows."
    failed = play(SCRIPT, *before, user([tool_result(asked["id"], "no table", is_error=True)]))
    assert text_of(failed.content) == "It failed: no table"
    assert text_of(play(SCRIPT, user("Please help me")).content) == "With what?"
    assert first.usage.output > 0


def test_the_same_conversation_is_answered_in_the_same_words() -> None:
    assert play(SCRIPT, user("Count.")) == play(json.dumps(SCRIPT), user("Count."))
    other = play(SCRIPT, user("Count again."))
    assert tool_uses(other.content)[0]["id"] != tool_uses(play(SCRIPT, user("C")).content)[0]["id"]


def test_arguments_may_name_the_last_message() -> None:
    asked = {"text": "Seen: {{last}}", "tags": ["{{last}}", "x"], "limit": 3}
    done = play([{"calls": [{"tool": "memory_add", "arguments": asked}]}], user("twelve"))
    given = {"text": "Seen: twelve", "tags": ["twelve", "x"], "limit": 3}
    assert tool_uses(done.content)[0]["input"] == given


def test_a_script_that_is_over_says_so() -> None:
    messages = [user("1"), assistant("a"), user("2"), assistant("b"), user("3")]
    with pytest.raises(ModelFault, match="no turn for answer 3") as raised:
        play(SCRIPT, *messages)
    assert raised.value.code == "model-script"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("{", "JSON"),
        ([], "no turns"),
        ([{"txet": "x"}], "txet"),
        ([{"text": 1}], r"\$.turns\[0\].text"),
        ([{"when": {"tools": "x"}}], "tools"),
        ([{"stop_reason": "tired"}], "tired"),
        ({"format": "other/9", "turns": [{}]}, "other/9"),
        (7, "array"),
        (None, "needs a script"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused_in_a_sentence(script: Any, said: str) -> None:
    with pytest.raises(ModelFault, match=said) as raised:
        play(script, user("x"))
    assert raised.value.code == "model-script"


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("claude-sonnet-5-5", "claude", "claude-sonnet-5-5"),
        ("openai:gpt-5", "openai", "gpt-5"),
        ("gpt-5", "openai", "gpt-5"),
        ("bedrock:anthropic.claude-v1:0", "bedrock", "anthropic.claude-v1:0"),
        ("scripted", "scripted", "scripted"),
        ("scripted:demo", "scripted", "demo"),
    ],
)
def test_a_name_says_who_serves_a_model(name: str, provider: str, model: str) -> None:
    assert parse(name) == (provider, model)


def test_at_an_address_of_ones_own_any_name_may_stand() -> None:
    here = "http://127.0.0.1:1"
    assert parse("qwen2.5:7b", base_url=here) == ("claude", "qwen2.5:7b")
    assert parse("openai:qwen", base_url=here) == ("openai", "qwen")


@pytest.mark.parametrize(
    ("name", "how", "code", "said"),
    [
        ("llama", {}, "model-unknown", "PROVIDER:MODEL"),
        ("opanai:x", {}, "model-unknown", "'openai'"),
        ("claude-sonnet-5-5", {}, "model-no-key", "iaiflow secrets set ANTHROPIC_API_KEY"),
        ("openai:gpt-5", {}, "model-no-key", "OPENAI_API_KEY"),
        ("claude-x", {"key": "secret:MINE"}, "model-no-key", "iaiflow secrets set MINE"),
        ("claude-x", {"base_url": "localhost"}, "model-bad-request", "http://"),
        ("vertex:claude", {"base_url": "http://127.0.0.1:1"}, "model-no-key", "Choose a key"),
    ],
)
def test_a_model_that_cannot_be_opened_says_what_to_do(
    name: str, how: dict[str, str], code: str, said: str
) -> None:
    with pytest.raises(ModelFault) as raised:
        open_model(name, secret=no_secret, **how)
    assert raised.value.code == code
    assert said in raised.value.remedy


def reply_of(api: MessagesAPI, name: str, key: str, **secrets: str) -> Reply:
    def secret(wanted: str) -> str:
        return secrets[wanted] if wanted in secrets else no_secret(wanted)

    async def one() -> Reply:
        client = open_model(name, secret=secret, base_url=api.url, key=key)
        try:
            return await client.stream(
                Request(parse(name, base_url=api.url).model, [user("Hi")]), lambda _: None
            )
        finally:
            await client.aclose()

    return asyncio.run(one())


def test_the_usual_key_is_never_sent_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-environment")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-the-environment")
    with MessagesAPI() as api:
        with pytest.raises(ModelFault, match="refused the key"):
            reply_of(api, "claude-x", "", ANTHROPIC_API_KEY="sk-ant-usual")
        assert api.seen[0].headers["authorization"] == "Bearer none"
        api.play(say("Yes."))
        reply = reply_of(api, "local-model", "secret:MINE", MINE=api.key)
    assert text_of(reply.content) == "Yes."


def test_clouds_are_asked_by_the_clients_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "a-project")
    with MessagesAPI(say("Foundry", call("add", a=1)), say("Vertex")) as api:
        assert tool_uses(reply_of(api, "foundry:claude-sonnet-5-5", api.key).content)
        vertex = reply_of(api, "vertex:claude-sonnet-5-5", api.key)
        assert "/projects/a-project/" in api.seen[1].path
    assert text_of(vertex.content) == "Vertex"


def test_a_cloud_that_is_not_set_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "CLOUD_ML_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = open_model("vertex:claude-sonnet-5-5", secret=no_secret)
    with pytest.raises(ModelFault, match="No region was given"):
        asyncio.run(client.stream(Request("x", [user("Hi")]), lambda _: None))


@pytest.mark.parametrize(
    ("name", "missing", "said"),
    [
        ("claude-x", "anthropic", "iaiflow-lab[agents]"),
        ("bedrock:anthropic.claude-x", "botocore", "anthropic[bedrock]"),
    ],
)
def test_what_is_not_installed_is_named(
    name: str, missing: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with MessagesAPI() as api:
        with pytest.raises(ModelFault, match=f"needs {missing}") as raised:
            reply_of(api, name, api.key)
        assert api.seen == []
    assert raised.value.code == "model-not-installed"
    assert said in raised.value.remedy


def test_a_provider_of_somebody_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name, value = "echo", "somewhere:open_echo"

        def load(self) -> Any:
            return lambda opening: opening

    class Broken(Entry):
        def load(self) -> Any:
            raise ImportError("no module named somewhere")

    found = {**registry.providers(), "echo": Entry(), "broken": Broken()}
    monkeypatch.setattr(registry, "providers", lambda: found)
    opened: Any = open_model("echo:x", secret=no_secret, key="k", script=[1])
    assert (opened.model, opened.key, opened.script) == ("x", "k", [1])
    with pytest.raises(ModelFault, match="can't be loaded"):
        open_model("broken:x", secret=no_secret)


def test_limits_come_from_the_service_or_the_table() -> None:
    async def asked(api: MessagesAPI, model: str) -> Any:
        client = open_model("claude-x", secret=no_secret, base_url=api.url, key=api.key)
        try:
            return await limits(client, model)
        finally:
            await client.aclose()

    with MessagesAPI() as api:
        assert asyncio.run(asked(api, "claude-sonnet-5-5")).max_output == 128_000
        assert asyncio.run(asked(api, "claude-haiku-4-5")) == known("claude-haiku-4-5")
    assert known("claude-haiku-4-5").max_input == 200_000
    assert known("us.anthropic.claude-haiku-4-5-20251001-v1:0").max_input == 200_000
    assert "adaptive_thinking" in known("anthropic.claude-sonnet-5-5").capabilities
    assert known("nobody").max_input is None


def test_naming_models_imports_nothing_heavy() -> None:
    code = (
        "import sys; from iaiflow_agents.models.registry import open_model;"
        "open_model('claude-x', secret=lambda n: 'k');"
        "open_model('openai:x', secret=lambda n: 'k');"
        "print([m for m in ('anthropic', 'httpx', 'httpx2', 'pydantic') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
