"""What a run records holds no secret that was resolved in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

from iaiflow_lab.engine.ports import Artifacts, SecretReader
from iaiflow_lab.model.event import OutputRef
from iaiflow_lab.safe.redact import RESOLVED
from iaiflow_lab.sdk import values

S = TypeVar("S", bound=msgspec.Struct)

#: Fields that say which thing an event is about: names that programs go by, never free text.
_NAMES: Final = frozenset(
    {
        "kind",
        "step",
        "node",
        "type",
        "state",
        "source",
        "key",
        "code",
        "code_hash",
        "encoding",
        "artifact",
        "port",
        "wait_kind",
        "outcome",
        "stream",
        "level",
        "unit",
        "cell_id",
    }
)


def hidden(struct: S) -> S:
    """Return an event, or what stands in one, without secrets; itself when it has none."""
    if not RESOLVED:
        return struct
    changed: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        if name not in _NAMES:
            given = getattr(struct, name)
            made = _hidden(given)
            if made is not given:
                changed[name] = made
    return msgspec.structs.replace(struct, **changed) if changed else struct


def _hidden(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return hidden(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        if any(isinstance(item, msgspec.Struct) for item in entries.values()):
            return {name: _hidden(item) for name, item in entries.items()}
    return RESOLVED.data(value)


def store(value: Any, artifacts: Artifacts) -> OutputRef:
    """Store a value without the secrets in it, and return the reference to it.

    A table that holds one stays in the process.
    """
    if not RESOLVED:
        return values.encode(value, artifacts)
    if values.is_table(value):
        if RESOLVED.is_in(values.table_bytes(value)):
            return OutputRef("live", rows=values.rows(value), preview=values.preview(value))
        return values.encode(value, artifacts)
    if isinstance(value, bytearray | memoryview):
        value = bytes(cast("bytes", value))
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    clean = RESOLVED.data(value)
    ref = values.encode(clean, artifacts)
    return ref if clean is value else msgspec.structs.replace(ref, hidden=True)


class RunSecrets:
    """The secrets of a run: what is resolved here is hidden from then on.

    Args:
        reader: Where they come from.
    """

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader

    def get(self, name: str) -> str:
        """Return a secret.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
        """
        value = self._reader.get(name)
        RESOLVED.add(value)
        return value

    def version(self, name: str) -> int:
        """Return the version of a secret, which rises each time when it is set.

        Raises:
            NotFoundError: It is not set in this project.
            StoreError: It cannot be opened.
        """
        return self._reader.version(name)
