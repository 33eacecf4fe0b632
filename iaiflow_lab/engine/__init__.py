"""Executes a flow: plan, executor, step. Knows no database, no queue and no canvas."""
