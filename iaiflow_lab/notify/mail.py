"""E-mail: one plain text, given to the server of the settings."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final

from iaiflow_lab.notify.message import Message
from iaiflow_lab.notify.problem import SendError
from iaiflow_lab.notify.text import one_line
from iaiflow_lab.settings import MailServer

#: Longest silence of the server, in seconds.
_TIMEOUT_S: Final = 20.0


def send_mail(server: MailServer, password: str, to: str, message: Message, at: float) -> None:
    """Give a message to the mail server.

    Args:
        server: Where it is, and how it is spoken to.
        password: Of the user who logs in; "" when nobody does.
        to: One address.
        message: What is sent.
        at: The moment, in seconds since the Unix epoch.

    Raises:
        SendError: The server cannot be reached, or refuses the login, an address or the message.
    """
    letter = EmailMessage(policy=SMTP)
    letter["From"] = server.sender
    letter["To"] = to
    letter["Subject"] = message.subject
    letter["Date"] = formatdate(at)
    letter["Message-ID"] = f"<{message.id}@{server.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, password)
            connection.send_message(letter, server.sender, [to])
    except smtplib.SMTPRecipientsRefused as error:
        raise SendError(f"The mail server refuses {to}: {_answer(error.recipients[to])}") from error
    except smtplib.SMTPResponseException as error:
        said = _answer((error.smtp_code, error.smtp_error))
        raise SendError(f"The mail server refuses: {said}") from error
    except (smtplib.SMTPException, OSError) as error:
        why = one_line(str(error), 200) or type(error).__name__
        raise SendError(
            f"The mail server {server.host}:{server.port} can't be used: {why}.",
            remedy="Check [smtp] in config.toml, and the network",
        ) from error


def _connected(server: MailServer) -> smtplib.SMTP:
    name = socket.gethostname()  # the full name would be asked of the network
    if server.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=_TIMEOUT_S, context=context)
    connection = smtplib.SMTP(server.host, server.port, name, timeout=_TIMEOUT_S)
    if server.tls == "starttls":
        try:
            connection.starttls(context=ssl.create_default_context())
        except BaseException:
            connection.close()
            raise
    return connection


def _answer(answer: tuple[int, bytes | str]) -> str:
    code, said = answer
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {one_line(text, 200)}".rstrip(" .") + "."
