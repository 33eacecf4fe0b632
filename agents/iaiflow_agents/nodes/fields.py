"""What the nodes that ask models have in common: their fields, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, cast

from annotated_types import Ge, Gt, Le

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models import registry
from iaiflow_agents.models.registry import MODEL
from iaiflow_lab.errors import InputError
from iaiflow_lab.model.secret_names import PREFIX, check_name
from iaiflow_lab.model.signature import Fault

__all__ = [
    "MODEL",
    "Count",
    "Effort",
    "Positive",
    "Steps",
    "Tokens",
    "model_faults",
    "needed_keys",
]

Effort = Literal["", "low", "medium", "high", "xhigh", "max"]
Tokens = Annotated[int, Ge(1), Le(1_000_000)]
Steps = Annotated[int, Ge(1), Le(100_000)]
Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]


def model_faults(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with the fields that choose a model; nothing is connected."""
    yield from _key_faults("key", config.get("key"))
    for helper in _objects(config.get("agents")):
        yield from _key_faults("agents", helper.get("key"))
    name = config.get("model", MODEL)
    if not isinstance(name, str) or "model" in wired or "{{" in name:
        return
    base_url = str(config.get("base_url") or "")
    try:
        provider, _ = registry.parse(name, base_url=base_url)
    except ModelFault as fault:
        yield Fault("model", fault.what, fault.remedy)
        return
    if provider == "scripted":
        yield from _script_faults(config, wired)


def _key_faults(field: str, key: Any) -> Iterator[Fault]:
    """Yield why a key may not stand there: flows are shared, and kept in every version and run."""
    if not isinstance(key, str) or not key:
        return
    if not key.startswith(PREFIX):
        remedy = f"Set it with `iaiflow secrets set NAME`, and write {PREFIX}NAME here."
        yield Fault(field, "A key may not stand in a flow.", remedy)
        return
    try:
        check_name(key.removeprefix(PREFIX))
    except InputError as error:
        yield Fault(field, error.what, error.remedy)


def _objects(items: Any) -> Iterator[Mapping[str, Any]]:
    for item in cast("list[Any]", items) if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield cast("dict[str, Any]", item)


def _script_faults(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    from iaiflow_agents.models.scripted import read_script

    script: Any = config.get("script")
    if "script" in wired:
        return
    if script is None:
        remedy = 'Write a list of turns, such as [{"text": "Hello."}].'
        yield Fault("script", "A scripted model needs a script.", remedy)
        return
    try:
        read_script(script)
    except ModelFault as fault:
        yield Fault("script", fault.what, fault.remedy)


def needed_keys(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[str]:
    """Yield the secret in which the provider's key usually is, where that is what is used."""
    name = config.get("model", MODEL)
    if not isinstance(name, str) or {"model", "base_url", "key"} & set(wired):
        return
    if config.get("key") or config.get("base_url"):
        return
    try:
        provider, _ = registry.parse(name)
    except ModelFault:
        return
    if provider in _KEYS:
        yield _KEYS[provider]


#: Where keys usually are, by provider.
_KEYS: Final = {"claude": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
