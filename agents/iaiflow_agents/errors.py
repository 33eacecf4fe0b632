"""What models and agents refuse or report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from iaiflow_lab.errors import NodeError

if TYPE_CHECKING:
    from iaiflow_agents.usage import Usage

#: The code of a conversation that is longer than what the model reads.
TOO_LONG: Final = "model-too-long"
#: Every code of a `ModelFault`, and whether the same call may succeed a little later.
CODES: Final[dict[str, bool]] = {
    "model-overloaded": True,
    "model-rate-limit": True,
    "model-unreachable": True,
    "model-stalled": True,
    "model-truncated": True,
    "model-refused-key": False,
    "model-no-key": False,
    "model-key-elsewhere": False,
    TOO_LONG: False,
    "model-bad-request": False,
    "model-spend-limit": False,
    "model-unknown": False,
    "model-script": False,
    "model-not-installed": False,
}


class ModelFault(NodeError):  # noqa: N818 - a fault of the service that is asked, not of the program
    """A model gave no whole answer; nothing that it began to say may be acted upon.

    Args:
        what: One sentence that says what happened.
        code: One of `CODES`.
        where: The model, or the place in its answer.
        remedy: What to do next.
        retry_after: For how long the service asks to wait, in seconds; None when it does not say.
        usage: What is known to be billed although there is no answer.
    """

    code = "model-unreachable"

    def __init__(
        self,
        what: str,
        *,
        code: str,
        where: str = "",
        remedy: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy, code=code)
        #: Whether the same call may succeed a little later.
        self.is_retryable = CODES.get(code, False)
        #: For how long the service asks to wait, in seconds; None when it does not say.
        self.retry_after = retry_after
        #: What is known to be billed although there is no answer.
        self.usage = usage
