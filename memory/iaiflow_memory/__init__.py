"""Memory for agents, kept in DuckDB and usable without the workbench."""
