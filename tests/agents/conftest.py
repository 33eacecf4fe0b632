"""A lab with the whole catalog, and a web site, for what agents do."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Lab
from website import make_site, site

from iaiflow_lab.sdk.catalog import load_catalog

__all__ = ["make_site", "site"]


@pytest.fixture
def lab(workspace: Path) -> Lab:
    """Return a lab that has the whole catalog."""
    catalog = load_catalog(None)
    return Lab(workspace, *map(catalog.require, catalog.names()))
