"""Bringing an older database up to date, with Alembic."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from iaiflow_lab.store.database import translated

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(path: Path, revision: str = "head") -> None:
    """Bring the database at `path` up to `revision`, in one transaction that shuts out all others.

    Raises:
        StoreError: The database cannot be used.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"isolation_level": None}
    )
    with translated(path), engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
