"""One function for every user verb: the only entrance to flows and runs."""

from iaiflow_lab.service.session import Session, open_session

__all__ = ["Session", "open_session"]
