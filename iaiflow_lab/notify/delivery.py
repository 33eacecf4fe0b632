"""One message from the outbox to its channel: taken, sent, noted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from iaiflow_lab.errors import LabError, StoreError
from iaiflow_lab.model.event import ErrorInfo
from iaiflow_lab.model.run import RunState
from iaiflow_lab.notify.channels import Post
from iaiflow_lab.notify.message import compose
from iaiflow_lab.notify.privacy import hidden, without_secrets
from iaiflow_lab.notify.problem import SendError
from iaiflow_lab.service import notifications, outbox
from iaiflow_lab.service.notifications import Told
from iaiflow_lab.service.outbox import Item, Letter
from iaiflow_lab.service.session import Session


def deliver(session: Session, rule_id: str, post: Post) -> str:
    """Send the message that a rule is to send now, if there is one.

    A process that ends between sending and noting sends it again later, under the same id.

    Returns:
        Why it was not sent, for people; "" when it was, or when there was nothing to send.

    Raises:
        StoreError: The database cannot be used.
    """
    faults = session.world.faults
    letter = outbox.take(session, rule_id)
    if letter is None:
        return ""
    faults.reach("notify.after_take")
    try:
        _send(session, letter, post)
    except StoreError:
        raise
    except Exception as error:  # a message that can't be made must not be tried for ever
        return _note_failure(session, letter, error)
    faults.reach("notify.after_send")
    outbox.sent(session, letter)
    return ""


def send_test(session: Session, ref: str, post: Post) -> None:
    """Send an example by a rule, now, whatever its hours; nothing is noted.

    Raises:
        NotFoundError: There is no such rule.
        SendError: It was not taken.
    """
    rule = notifications.get(session, ref)
    now = session.world.clock.now()
    error = ErrorInfo("example", "This is a test of a notification; nothing happened.", "node")
    item = Item(
        told=Told.FAILED,
        run_id="run_0123456789abcdefghjkmnpqrs",
        flow=rule.spec.flow or "example.flow.json",
        state=RunState.FAILED,
        at=now,
        error=error,
        said=["The last lines that the failing node wrote\nstand here.\n"],
    )
    letter = Letter(session.world.ids.new("msg"), rule.id, rule.spec, [item], 1, 1)
    with ThreadPoolExecutor(1) as beside:  # the caller's thread may have an event loop
        beside.submit(_send, session, letter, post).result()


def _send(session: Session, letter: Letter, post: Post) -> None:
    hide = post.redactor(letter.rule)
    message = compose(without_secrets(letter, hide), session.store.settings.run_link)
    post.send(letter.rule, hidden(message, hide), session.world.clock.now())


def _note_failure(session: Session, letter: Letter, error: Exception) -> str:
    if isinstance(error, LabError):
        reason = str(error)
    else:
        reason = f"The message met a defect, {type(error).__name__}: {error}"
    pause = error.pause if isinstance(error, SendError) else 0.0
    due = outbox.failed(session, letter, reason, pause)
    if due is None:
        return f"Notification {letter.id} is given up after {letter.attempt} tries: {reason}"
    again = f"{datetime.fromtimestamp(due).astimezone():%H:%M:%S}"
    return f"Notification {letter.id} was not sent; again at {again}: {reason}"
