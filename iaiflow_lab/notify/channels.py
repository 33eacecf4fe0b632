"""The ways out: e-mail, signed webhooks, Slack. Secrets come from environment variables alone."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from iaiflow_lab.errors import InputError, LabError
from iaiflow_lab.notify.mail import send_mail
from iaiflow_lab.notify.message import Message
from iaiflow_lab.notify.problem import SendError
from iaiflow_lab.notify.text import one_line
from iaiflow_lab.safe.fetch import Fetched, Resolver, resolve, safe_fetch
from iaiflow_lab.safe.redact import redactor
from iaiflow_lab.service.notifications import FROM_ENVIRONMENT, Channel, RuleSpec
from iaiflow_lab.settings import Settings

#: Longest time for one request, in seconds, and largest answer, in bytes.
_TIMEOUT_S: Final = 20.0
_ANSWER: Final = 1_000_000
#: Longest text for Slack, in characters.
_SLACK: Final = 3_500
_JSON: Final = {"content-type": "application/json; charset=utf-8", "user-agent": "iaiflow-lab"}


@dataclass(frozen=True, slots=True)
class Post:
    """Sends messages the way that a rule names.

    Args:
        settings: The workspace's: the mail server, and which hosts may be called.
        environment: Where secrets are.
        resolver: Returns the addresses of a host.
    """

    settings: Settings
    environment: Mapping[str, str]
    resolver: Resolver = resolve

    @classmethod
    def of_process(cls, settings: Settings) -> Post:
        """Return one that takes secrets from this process's environment."""
        return cls(settings, os.environ)

    def redactor(self, rule: RuleSpec) -> Callable[[str], str]:
        """Return what cuts the secrets of the environment out of a text."""
        names = {rule.secret, rule.target.removeprefix(FROM_ENVIRONMENT)}
        server, telemetry = self.settings.mail_server, self.settings.traces
        names |= set() if server is None else {server.password_env}
        headers = set[str]() if telemetry is None else {telemetry.headers_env}
        return redactor(self.environment, names, headers)

    def send(self, rule: RuleSpec, message: Message, at: float) -> None:
        """Send a message.

        Args:
            rule: Says where to.
            message: What is sent.
            at: The moment of this try, in seconds since the Unix epoch.

        Raises:
            SendError: It was not taken; trying again later may help.
        """
        try:
            if rule.channel is Channel.EMAIL:
                self._mail(rule, message, at)
            elif rule.channel is Channel.WEBHOOK:
                self._webhook(rule, message, at)
            else:
                self._slack(rule, message)
        except SendError:
            raise
        except LabError as error:  # without its place: an address may be a secret
            raise SendError(error.what, remedy=error.remedy) from error

    def _mail(self, rule: RuleSpec, message: Message, at: float) -> None:
        server = self.settings.mail_server
        if server is None:
            raise SendError("No server for e-mail is set.", remedy="Write [smtp] in config.toml")
        password = self._variable(server.password_env) if server.password_env else ""
        send_mail(server, password, rule.target, message, at)

    def _webhook(self, rule: RuleSpec, message: Message, at: float) -> None:
        from standardwebhooks import Webhook

        moment = datetime.fromtimestamp(at, UTC)
        body = json.dumps(
            {"type": message.type, "timestamp": moment.isoformat(), "data": message.data}
        )
        secret = self._variable(rule.secret)
        try:
            signature = Webhook(secret).sign(message.id, moment, body)
        except Exception:  # its own words may quote the secret
            raise SendError(
                f"What {rule.secret} holds is no secret of a webhook.",
                remedy="It is whsec_ and then base64",
            ) from None
        signed = {
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": signature,
        }
        self._post(rule, _JSON | signed, body)

    def _slack(self, rule: RuleSpec, message: Message) -> None:
        text = message.text if len(message.text) <= _SLACK else f"{message.text[:_SLACK]}…"
        for character, spelled in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, spelled)
        body = {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
        self._post(rule, _JSON, json.dumps(body))

    def _post(self, rule: RuleSpec, headers: Mapping[str, str], body: str) -> None:
        import httpx

        name = rule.target.removeprefix(FROM_ENVIRONMENT)
        url = rule.target if name == rule.target else self._variable(name)
        try:
            answer = asyncio.run(self._fetch(url, headers, body))
        except InputError:  # its own words may quote the address, which may be a secret
            what = f"What {name} holds is" if name != rule.target else "This is"
            raise SendError(f"{what} no address that can be called.") from None
        if answer.url != str(httpx.URL(url)):
            raise SendError("The server redirects elsewhere.", remedy="Name the final address")
        if not 200 <= answer.status < 300:
            said = one_line(answer.body[:1_000].decode("utf-8", "replace"), 200)
            raise SendError(
                f"The server answered {answer.status}{': ' if said else ''}{said}.",
                pause=_pause(answer),
            )

    async def _fetch(self, url: str, headers: Mapping[str, str], body: str) -> Fetched:
        return await safe_fetch(
            url,
            method="POST",
            headers=headers,
            content=body.encode(),
            allowed=self.settings.allowed_hosts,
            timeout=_TIMEOUT_S,
            max_bytes=_ANSWER,
            resolver=self.resolver,
        )

    def _variable(self, name: str) -> str:
        value = self.environment.get(name, "").strip()
        if not value:
            raise SendError(
                f"The environment variable {name} isn't set.",
                remedy="Set it for the process that sends, such as `iaiflow serve`",
            )
        return value


def _pause(answer: Fetched) -> float:
    """Return how long the server asks to be left alone, in seconds; 0 when it does not."""
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0.0
