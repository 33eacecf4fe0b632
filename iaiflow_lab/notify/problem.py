"""What keeps a message from being sent."""

from __future__ import annotations

from iaiflow_lab.errors import LabError


class SendError(LabError):
    """A message was not taken; trying again later may help.

    Args:
        what: One sentence.
        remedy: What to do next, or "".
        pause: How long the other side asks to be left alone, in seconds.
    """

    code = "not-sent"
    exit_code = 1
    http_status = 502

    def __init__(self, what: str, *, remedy: str = "", pause: float = 0.0) -> None:
        super().__init__(what, remedy=remedy)
        self.pause = pause
