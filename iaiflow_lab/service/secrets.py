"""Secrets: set, listed by name, removed, encrypted anew. Nothing here tells what one holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from iaiflow_lab.errors import InputError, LabError, NotFoundError
from iaiflow_lab.model import secret_names
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.safe.redact import SHORTEST
from iaiflow_lab.service import flows
from iaiflow_lab.service.as_data import iso
from iaiflow_lab.service.secret_checks import names
from iaiflow_lab.service.session import Session

#: Longest value, in bytes: as long as any key or certificate, and quick to look for.
LONGEST: Final = 32_768


@dataclass(frozen=True, slots=True)
class SecretSummary:
    """What may be known of a secret. Times are seconds since the Unix epoch."""

    name: str
    #: Rises each time when it is set.
    version: int
    created_at: float
    #: Who set it.
    created_by: str
    #: Paths of the flows in the workspace that name it.
    used_in: Sequence[str] = ()


def put(session: Session, name: str, value: str, by: str) -> SecretSummary:
    """Set a secret; one of the same name is replaced.

    Args:
        session: An open workspace.
        name: Letters, digits, `_`, `.` and `-`.
        value: What it holds.
        by: Who sets it.

    Raises:
        InputError: The name or the value cannot be used.
        StoreError: Its key is missing, or can be kept nowhere.
    """
    secret_names.check_name(name)
    _check_value(value)
    kept = session.store.secrets(session.project).set(name, value, by)
    return SecretSummary(kept.name, kept.version, kept.created_at, kept.created_by)


def list_secrets(session: Session, signatures: Signatures | None = None) -> list[SecretSummary]:
    """Return the secrets of the project, by name.

    Args:
        session: An open workspace.
        signatures: With it, the flows that name each are looked for.
    """
    used = {} if signatures is None else _uses(session, signatures)
    return [
        SecretSummary(*kept, used_in=used.get(kept.name, ()))
        for kept in session.store.secrets(session.project).all()
    ]


def remove(session: Session, name: str) -> None:
    """Forget a secret.

    Raises:
        NotFoundError: It is not set.
    """
    if not session.store.secrets(session.project).remove(name):
        raise NotFoundError(
            f"Secret {name!r} isn't set in project {session.project}.",
            remedy=did_you_mean(name, names(session)) or "`iaiflow secrets ls` lists them",
            code="secret-unset",
        )


def rotate(session: Session) -> int:
    """Encrypt all secrets by new keys, all or none; returns how many there are.

    Raises:
        StoreError: The present key is missing, or the new one can be kept nowhere.
    """
    return session.store.secrets(session.project).rotate()


def place(session: Session) -> str | None:
    """Say where the key of the secrets is kept; None: there is none yet.

    Raises:
        StoreError: It is missing.
    """
    return session.store.secrets(session.project).place()


def secret_data(secret: SecretSummary) -> dict[str, Any]:
    """Return what may be known of a secret as JSON."""
    return {
        "name": secret.name,
        "version": secret.version,
        "created_at": iso(secret.created_at),
        "created_by": secret.created_by,
        "used_in": list(secret.used_in),
    }


def is_short(value: str) -> bool:
    """Say whether a value is too short to be cut out of outputs."""
    return len(value) < SHORTEST


def _check_value(value: str) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InputError("The secret holds what is no text.", where="value") from None
    if not value:
        raise InputError("The secret is empty.", where="value", remedy="Give what it shall hold")
    if size > LONGEST:
        raise InputError(f"A secret holds {LONGEST:,} bytes at most; this has {size:,}.")


def _uses(session: Session, signatures: Signatures) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for summary in flows.list_flows(session):
        if summary.problem:
            continue
        try:
            used = secret_names.used_by(flows.load(session, summary.path), signatures)
        except LabError:  # it was changed just now
            continue
        for name in used:
            found.setdefault(name, []).append(summary.path)
    return found
