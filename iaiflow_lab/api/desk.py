"""What every route works with, and how a route is declared: never without a permission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request

from iaiflow_lab.access.permissions import Permission
from iaiflow_lab.access.principal import Principal
from iaiflow_lab.api.news import News
from iaiflow_lab.errors import UnavailableError
from iaiflow_lab.sdk.catalog import Catalog, load_catalog
from iaiflow_lab.service import Session

Handler = TypeVar("Handler", bound=Callable[..., Any])

#: Where an operation of the OpenAPI document names its permission.
PERMISSION: Final = "x-permission"


@dataclass(frozen=True, slots=True)
class Desk:
    """One open workspace and who asks."""

    session: Session
    principal: Principal
    #: Tells when anything was committed.
    news: News
    #: Set when the server is about to end: nothing new is begun.
    draining: Event = field(default_factory=Event)

    def catalog(self) -> Catalog:
        """Return the node types as the workspace's files are now."""
        return load_catalog(self.session.workspace)


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that was asked."""
    desk: Desk = request.app.state.desk
    return desk


At = Annotated[Desk, Depends(desk_of)]


class Needs:
    """The dependency by which a route names its permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, desk: At) -> None:
        """Refuse a caller who may not do this."""
        desk.principal.require(self.permission)


def refuse_when_draining(desk: At) -> None:
    """Refuse to begin something new while the server ends."""
    if desk.draining.is_set():
        raise UnavailableError(
            "This server is about to end and takes no new runs.", remedy="Try again in a moment"
        )


class Routes:
    """Routes about one thing; each names one permission.

    Args:
        tag: What they are about.
    """

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag])

    def get(self, path: str, permission: Permission, **rest: Any) -> Callable[[Handler], Handler]:
        """Declare a route that reads."""
        return self._add("GET", path, permission, rest)

    def post(self, path: str, permission: Permission, **rest: Any) -> Callable[[Handler], Handler]:
        """Declare a route that does something; `begins=True`: not while the server ends."""
        return self._add("POST", path, permission, rest)

    def put(self, path: str, permission: Permission, **rest: Any) -> Callable[[Handler], Handler]:
        """Declare a route that replaces something."""
        return self._add("PUT", path, permission, rest)

    def delete(
        self, path: str, permission: Permission, **rest: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a route that removes something."""
        return self._add("DELETE", path, permission, rest)

    def _add(
        self, method: str, path: str, permission: Permission, rest: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        depends = [Depends(Needs(permission))]
        if rest.pop("begins", False):
            depends.append(Depends(refuse_when_draining))

        def declare(handler: Handler) -> Handler:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                dependencies=depends,
                openapi_extra={PERMISSION: permission.value},
                response_model=None,
                **rest,
            )
            return handler

        return declare
