"""Everything that a caller may be allowed to do: one closed table."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing that a caller may be allowed to do in a project."""

    FLOW_READ = "flow:read"
    FLOW_WRITE = "flow:write"
    RUN_READ = "run:read"
    RUN_EXECUTE = "run:execute"
    RUN_CANCEL = "run:cancel"
    RUN_ANSWER = "run:answer"
    RUN_REMOVE = "run:remove"
    SCHEDULE_READ = "schedule:read"
    SCHEDULE_WRITE = "schedule:write"
    ARTIFACT_READ = "artifact:read"
    NODE_READ = "node:read"
    NOTIFICATION_READ = "notification:read"
    NOTIFICATION_WRITE = "notification:write"
    SECRET_READ = "secret:read"  # noqa: S105  a name, not a password
    SECRET_WRITE = "secret:write"  # noqa: S105
    SERVER_READ = "server:read"


#: What the owner of a project may do.
OWNER: Final = frozenset(Permission)
