"""What models can do, where no service says it: a table of our own."""

from __future__ import annotations

from typing import Final

from iaiflow_agents.models.protocol import ModelClient, ModelInfo

_ALL: Final = frozenset({"batch", "image_input", "pdf_input", "structured_outputs", "thinking"})
_ADAPTIVE: Final = _ALL | {"adaptive_thinking", "effort"}

#: Most tokens read and written, capabilities, day of retirement: platform.claude.com/docs/en/models
#: on 2026-11-23; of older models what is safe. The longest prefix that fits a name counts.
_TABLE: Final[dict[str, tuple[int, int, frozenset[str], str]]] = {
    "claude-": (1_000_000, 128_000, _ADAPTIVE, ""),
    "claude-sonnet-4-6": (200_000, 64_000, _ADAPTIVE, ""),
    "claude-opus-4-6": (200_000, 64_000, _ADAPTIVE, ""),
    "claude-opus-4-5": (200_000, 64_000, _ALL | {"effort"}, ""),
    "claude-haiku-4-5": (200_000, 64_000, _ALL, ""),
    "claude-sonnet-4-5": (200_000, 64_000, _ALL, "2026-11-30"),
}


def known(model: str) -> ModelInfo:
    """Return what the table says of a model; of one that it does not name, nothing.

    Clouds write more before a name, such as `us.anthropic.claude-sonnet-5-5`.
    """
    plain = model[max(0, model.find("claude-")) :]
    prefix = max((name for name in _TABLE if plain.startswith(name)), key=len, default="")
    if not prefix:
        return ModelInfo(model)
    max_input, max_output, capabilities, retires_at = _TABLE[prefix]
    return ModelInfo(model, max_input, max_output, capabilities, retires_at)


async def limits(client: ModelClient, model: str) -> ModelInfo:
    """Return what a model can do: as its service says, else as the table does.

    Raises:
        ModelFault: The service cannot be asked.
    """
    return next((info for info in await client.models() if info.id == model), known(model))
