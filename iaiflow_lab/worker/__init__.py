"""Processes that claim runs, execute them and report how they ended, over the coordinator."""
