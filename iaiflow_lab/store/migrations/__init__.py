"""Migrations of the database, for Alembic; `versions/` holds one file a revision."""
