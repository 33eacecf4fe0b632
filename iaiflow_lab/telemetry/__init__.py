"""Runs as traces, sent to where the workspace's owner said; off unless that is set."""
