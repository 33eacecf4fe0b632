"""Keys of services: where they come from, and where they never go."""

from __future__ import annotations

from collections.abc import Callable

from iaiflow_agents.errors import ModelFault
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.safe.redact import redactor

_PREFIX = "secret:"


def find_key(given: str, secret: Callable[[str], str], name: str, *, base_url: str) -> str:
    """Return the key to use; "" when there is none.

    A key that stands under the provider's usual name goes to the provider's own address only:
    another address gets the key that was chosen for it, or none.

    Args:
        given: A key, or `secret:NAME`; "": the secret of the usual name.
        secret: Returns secrets of the workspace.
        name: The usual name, such as `ANTHROPIC_API_KEY`.
        base_url: The address, when it is not the provider's own.

    Raises:
        ModelFault: `model-no-key`, the secret that was named does not exist.
    """
    if given and not given.startswith(_PREFIX):
        return given
    if not given and base_url:
        return ""
    chosen = given.removeprefix(_PREFIX) or name
    try:
        return secret(chosen)
    except NotFoundError:
        if not given:
            return ""
        raise ModelFault(
            f"There is no secret {chosen!r}.",
            code="model-no-key",
            remedy=f"Set it: `iaiflow secrets set {chosen}`",
        ) from None


def missing_key(model: str, name: str) -> ModelFault:
    """Return the fault for a model that cannot be asked without a key."""
    return ModelFault(
        f"There is no key for {model}.",
        code="model-no-key",
        remedy=(
            f"Set one with `iaiflow secrets set {name}`, or set base_url to a server that needs "
            "none, or choose a scripted model"
        ),
    )


def hiding(key: str) -> Callable[[str], str]:
    """Return what cuts a key out of a text, however it is spelled there."""
    return redactor({"KEY": key})
