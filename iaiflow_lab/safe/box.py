"""Encryption at rest: AES-256-GCM, bound to what the text is about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

#: Length of a key, in bytes.
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class UnsealError(Exception):
    """A box was made by another key, about something else, or was changed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted bytes."""

    #: Random, 96 bits; never used twice with one key.
    nonce: bytes
    #: The encrypted bytes and the tag that tells whether they were changed.
    box: bytes


def new_key() -> bytes:
    """Return a random key."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, data: bytes, about: str) -> Sealed:
    """Encrypt `data`.

    Args:
        key: `KEY_BYTES` bytes.
        data: What is to be kept.
        about: Not encrypted; `unseal` opens the box only for whoever names the same.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return Sealed(nonce, AESGCM(key).encrypt(nonce, data, about.encode()))


def unseal(key: bytes, sealed: Sealed, about: str) -> bytes:
    """Return what was sealed.

    Raises:
        UnsealError: The key or `about` is another one, or the box was changed.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed.nonce, sealed.box, about.encode())
    except (InvalidTag, ValueError) as error:
        raise UnsealError("The box cannot be opened.") from error
