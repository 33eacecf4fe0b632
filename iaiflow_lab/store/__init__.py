"""Data at rest: one SQLite database and a folder of artifacts in the workspace's state folder."""
