"""Secrets in Python: they are set and removed here, and read by nodes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iaiflow_lab.lab import listing
from iaiflow_lab.lab.listing import Listing

if TYPE_CHECKING:
    from iaiflow_lab.service.secrets import SecretSummary
    from iaiflow_lab.service.session import Session


class Secrets:
    """The secrets of a workspace, by name. There is no way to read one here."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, name: str, value: str | None = None) -> None:
        """Set a secret; one of the same name is replaced.

        Args:
            name: Letters, digits, `_`, `.` and `-`.
            value: What it holds; None: it is asked for, so that it stands in no notebook.

        Raises:
            InputError: The name or the value cannot be used.
            StoreError: Its key is missing, or can be kept nowhere.
        """
        from getpass import getpass

        from iaiflow_lab.service import secrets
        from iaiflow_lab.service.waits import local_user

        given = getpass(f"{name}: ") if value is None else value
        secrets.put(self._session, name, given, local_user())

    def ls(self) -> Listing[SecretSummary]:
        """Return the secrets, by name, with the flows that name them."""
        from iaiflow_lab.sdk.catalog import load_catalog
        from iaiflow_lab.service import secrets

        catalog = load_catalog(self._session.workspace)
        return Listing(secrets.list_secrets(self._session, catalog), listing.SECRETS)

    def rm(self, name: str) -> None:
        """Forget a secret.

        Raises:
            NotFoundError: It is not set.
        """
        from iaiflow_lab.service import secrets

        secrets.remove(self._session, name)

    def rotate(self) -> int:
        """Encrypt all secrets by new keys; returns how many there are.

        Raises:
            StoreError: The present key is missing, or the new one can be kept nowhere.
        """
        from iaiflow_lab.service import secrets

        return secrets.rotate(self._session)

    def __repr__(self) -> str:
        from iaiflow_lab.service import secret_checks

        return f"<secrets {', '.join(secret_checks.names(self._session)) or 'none'}>"
