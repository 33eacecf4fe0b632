"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

from iaiflow_lab.access.permissions import OWNER, Permission
from iaiflow_lab.errors import NotAllowedError


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who acts in a project."""

    #: What people call them.
    name: str
    #: What they may do; everything else is refused.
    permissions: frozenset[Permission]

    def require(self, permission: Permission) -> None:
        """Refuse what this principal may not do.

        Raises:
            NotAllowedError: The permission is missing.
        """
        if permission not in self.permissions:
            raise NotAllowedError(
                f"{self.name} may not do this.",
                where=permission,
                remedy="Ask the owner of the project",
            )


def local_owner(name: str) -> Principal:
    """Return the user of this machine, who owns the default project."""
    return Principal(name, OWNER)
