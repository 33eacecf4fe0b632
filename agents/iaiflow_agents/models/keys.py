"""Keys of services: where they come from, and where they never go."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from iaiflow_agents.errors import ModelFault
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model.secret_names import PREFIX
from iaiflow_lab.safe.address import is_allowed
from iaiflow_lab.safe.redact import RESOLVED, redactor


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
    if given and not given.startswith(PREFIX):
        return given
    if not given and base_url:
        return ""
    chosen = given.removeprefix(PREFIX) or name
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


def check_address(key: str, base_url: str, allowed: Collection[str]) -> None:
    """Refuse to take a secret of the workspace to an address that only a flow names.

    This machine itself may be asked with it, and what the settings allow.

    Args:
        key: The key that was chosen, or `secret:NAME`.
        base_url: The address; "": the provider's own.
        allowed: Hosts that the settings allow, as `host` or `host:port`.

    Raises:
        ModelFault: `model-key-elsewhere`.
    """
    is_secret = key.startswith(PREFIX) or RESOLVED.text(key) != key
    if not base_url or not is_secret:
        return
    host, port = _host_of(base_url)
    if _is_here(host) or is_allowed(host, port, allowed):
        return
    raise ModelFault(
        f"The key is a secret of this workspace, and nothing says that {host} may be given it.",
        code="model-key-elsewhere",
        where=base_url,
        remedy=f'Allow it in .iaiflow/config.toml: [fetch] allow = ["{host}"]',
    )


def _host_of(base_url: str) -> tuple[str, int]:
    """Return host and port of an address; "?" where programs might read the host otherwise."""
    try:
        parts = urlsplit(base_url.strip())
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return "?", 0
    is_plain = re.fullmatch(r"[\w.:\[\]-]+", parts.netloc) is not None
    return (parts.hostname or "?", port) if is_plain else ("?", 0)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
