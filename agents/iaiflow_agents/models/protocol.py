"""What an agent asks of a model, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from iaiflow_agents.blocks import Block, Message
from iaiflow_agents.usage import Usage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it."""

    #: How the model calls it.
    name: str
    #: What it does, for the model.
    description: str
    #: JSON Schema of its arguments, an object.
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model."""

    #: The model's id, without its provider.
    model: str
    #: The conversation, the user first.
    messages: Sequence[Message]
    #: Instructions that stand above the conversation.
    system: str = ""
    #: Tools that may be called.
    tools: Sequence[ToolSpec] = ()
    #: Most tokens that may be written, thinking included.
    max_tokens: int = 4096
    #: Whether the model is asked to think aloud before it answers; False: as it does by itself.
    thinking: bool = False
    #: How much trouble it takes: "low", "medium", "high", "xhigh", "max"; "": its own choice.
    effort: str = ""
    #: JSON Schema that the answer's text follows, as JSON; None: any text.
    schema: Mapping[str, Any] | None = None
    #: "auto", "any" (some tool must be called), "none", or the name of the tool to call.
    tool_choice: str = "auto"
    #: How much chance there is in the answer; None: the model's own.
    temperature: float | None = None
    #: Whether the service may keep what it read, to read it again at a lower price.
    cache: bool = True


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer on its way, to look at; never to act upon."""

    #: What it is a piece of; of "tool" it is a piece of the arguments' JSON.
    kind: Literal["text", "thinking", "tool"]
    #: The piece; "" when a call of a tool begins.
    text: str
    #: Which block of the answer it belongs to, from 0.
    index: int
    #: Name of the tool that is called.
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    #: Its blocks, verbatim.
    content: tuple[Block, ...]
    #: Why it ended: "end_turn", "tool_use", "max_tokens", "stop_sequence", "pause_turn", "refusal",
    #: "model_context_window_exceeded". Tools may be called only at "tool_use".
    stop_reason: str
    #: What it took.
    usage: Usage
    #: The model that answered.
    model: str
    #: The service's id of the answer.
    id: str = ""
    #: More on why it ended, such as the category of a refusal.
    stop_details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model can do."""

    #: Its id.
    id: str
    #: Most tokens that it reads; None: unknown.
    max_input: int | None = None
    #: Most tokens that it writes; None: unknown.
    max_output: int | None = None
    #: What it can do, such as "thinking", "effort", "structured_outputs", "image_input", "batch".
    capabilities: frozenset[str] = frozenset()
    #: When it stops answering, as an ISO date; "": unknown.
    retires_at: str = ""


class ModelClient(Protocol):
    """One way to models. Every method raises `ModelFault`, and nothing else that is expected."""

    #: What the provider is called, such as "claude".
    provider: str
    #: Whether answers are played from a script.
    is_scripted: bool

    async def stream(self, request: Request, show: Callable[[Delta], None]) -> Reply:
        """Ask, show the answer piece by piece, and return it once it is whole.

        Args:
            request: What is asked.
            show: Is given the pieces; it should return at once.

        Raises:
            ModelFault: There is no whole answer.
        """
        ...

    async def count(self, request: Request) -> int:
        """Return how many tokens would be read; where nobody can tell, about four characters each.

        Raises:
            ModelFault: The service refuses to tell.
        """
        ...

    async def models(self) -> Sequence[ModelInfo]:
        """Return the models that there are.

        Raises:
            ModelFault: The service cannot be asked.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; a client that was closed is not used again."""
        ...
