"""Fixtures of these tests."""

from website import make_site, site

__all__ = ["make_site", "site"]
