"""The workspace's API below `iaiflow/` of a Jupyter server, for whoever is logged in there."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUntypedBaseClass=false

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import NamedLocalProxyHandler

from iaiflow_extension.child import Child
from iaiflow_lab.api.address import UNIX

#: How long a first request waits for a server that starts, in seconds: a machine may be busy.
_START_S: Final = 120.0
_LOOK_EVERY: Final = 0.05
#: Longest time that an answer takes (a large notebook is printed as PDF), in seconds.
_ANSWER_S: Final = 300.0
#: What a page is told of the workspace: that there is one, or that its first request makes it.
OFFERED: Final = "iaiflowService"
KNOWN: Final = "known"
#: What is Jupyter's own and must not reach the server; the host is that of Jupyter.
_DROPPED: Final = ("Authorization", "Cookie", "X-Xsrftoken", "Origin", "Referer", "Host")


class Proxy(NamedLocalProxyHandler):
    """Passes requests on to whoever serves the workspace."""

    name = "iaiflow"

    def initialize(self, child: Child) -> None:
        """Take what every request needs."""
        self._child = child

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Let in who is logged in, and find out where the workspace is served."""
        await super().prepare(*args, **kwargs)
        if self._finished:
            return
        self._child.start()
        self.settings["page_config_data"][OFFERED] = KNOWN
        address = await self._address()
        if not address:
            self._say_unavailable()
        elif address.startswith(UNIX):
            self.unix_socket = address.removeprefix(UNIX)
        else:
            self.port = urlsplit(address).port

    def check_xsrf_cookie(self) -> None:
        """Refuse what another site may have sent."""
        JupyterHandler.check_xsrf_cookie(self)

    def proxy_request_headers(self) -> Any:
        """Return the request's headers with the server's secret instead of Jupyter's own."""
        headers = super().proxy_request_headers()
        for name in _DROPPED:
            headers.pop(name, None)
        headers["Host"] = "localhost"
        if secret := self._child.secret():
            headers["Authorization"] = f"Bearer {secret}"
        return headers

    def _build_proxy_request(self, *args: Any, **kwargs: Any) -> Any:
        request = super()._build_proxy_request(*args, **kwargs)
        request.request_timeout = _ANSWER_S
        return request

    async def _address(self) -> str:
        """Return where the workspace is served; "" when nobody can, or does within some time."""
        for _ in range(int(_START_S / _LOOK_EVERY)):
            address = self._child.address()
            if address or self._child.is_failing:
                return address
            await asyncio.sleep(_LOOK_EVERY)
        return ""

    def _say_unavailable(self) -> None:
        self.set_status(503)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Retry-After", "5")
        problem = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": "Nothing serves this workspace yet.",
            "where": "",
            "remedy": "The log of Jupyter says why",
        }
        self.finish(json.dumps(problem))


def attach(server: Any) -> None:
    """Add the routes to a Jupyter server, and have its workspace served.

    A folder that is no workspace yet becomes one with the first request only.
    """
    child = Child(Path(server.root_dir), lambda text: server.log.info("IAI Flow Lab: %s", text))
    pattern = url_path_join(server.web_app.settings["base_url"], Proxy.name) + r"(/.*)"
    server.web_app.add_handlers(".*$", [(pattern, Proxy, {"child": child})])
    # the page asks at once for what goes on in a workspace, and makes no folder one by being opened
    page = server.web_app.settings.setdefault("page_config_data", {})
    page[OFFERED] = KNOWN if child.is_known else "new"
    if child.is_known:
        child.start()
