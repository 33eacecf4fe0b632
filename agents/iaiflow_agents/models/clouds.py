"""Claude where clouds serve it, by the clients of Anthropic's SDK.

A cloud has its own way to say who asks. When there is no key, the SDK's client uses what the cloud
gives to programs on this machine (profiles, roles, default credentials), as the cloud's own tools
do; region, project and resource come from the variables that the SDK names.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.claude import ClaudeModel
from iaiflow_agents.models.keys import find_key, hiding

if TYPE_CHECKING:
    from iaiflow_agents.models.registry import Opening


def open_bedrock(opening: Opening) -> ClaudeModel:
    """Return Claude on Amazon Bedrock; its key is the secret `AWS_BEARER_TOKEN_BEDROCK`.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(opening, "bedrock", "AsyncAnthropicBedrock", "AWS_BEARER_TOKEN_BEDROCK")


def open_mantle(opening: Opening) -> ClaudeModel:
    """Return Claude on Bedrock's Messages API; its key is `AWS_BEARER_TOKEN_BEDROCK`.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(
        opening, "bedrock-mantle", "AsyncAnthropicBedrockMantle", "AWS_BEARER_TOKEN_BEDROCK"
    )


def open_aws(opening: Opening) -> ClaudeModel:
    """Return the Claude Platform on AWS; its key is the secret `ANTHROPIC_AWS_API_KEY`.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(opening, "aws", "AsyncAnthropicAWS", "ANTHROPIC_AWS_API_KEY")


def open_vertex(opening: Opening) -> ClaudeModel:
    """Return Claude on Vertex AI; an access token may be the secret `VERTEX_ACCESS_TOKEN`.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(
        opening, "vertex", "AsyncAnthropicVertex", "VERTEX_ACCESS_TOKEN", key_as="access_token"
    )


def open_google_cloud(opening: Opening) -> ClaudeModel:
    """Return the Claude Platform on Google Cloud, by the machine's default credentials.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(opening, "google-cloud", "AsyncAnthropicGoogleCloud", "", key_as="")


def open_foundry(opening: Opening) -> ClaudeModel:
    """Return Claude in Microsoft Foundry; its key is the secret `ANTHROPIC_FOUNDRY_API_KEY`.

    Raises:
        ModelFault: `model-no-key`, there is none where one must be.
    """
    return _open(opening, "foundry", "AsyncAnthropicFoundry", "ANTHROPIC_FOUNDRY_API_KEY")


def _open(
    opening: Opening, provider: str, client: str, secret: str, key_as: str = "api_key"
) -> ClaudeModel:
    key = ""
    if key_as:
        key = find_key(opening.key, opening.secret, secret, base_url=opening.base_url)
    if opening.base_url and not key:
        raise ModelFault(
            f"What the cloud knows this machine by is not sent to {opening.base_url}.",
            code="model-no-key",
            where=provider,
            remedy="Choose a key for that address, or leave base_url empty",
        )

    def make(settings: Mapping[str, Any]) -> Any:
        import anthropic

        if provider == "bedrock":
            # The SDK would miss it when the answer has come, and has been paid for.
            import_module("botocore.eventstream")
        given = {key_as: key} if key else {}
        address = {"base_url": opening.base_url} if opening.base_url else {}
        return getattr(anthropic, client)(**given, **address, **settings)

    return ClaudeModel(make, provider=provider, hide=hiding(key), recorder=opening.recorder)
