"""Runs of this process: where they are recorded, and what all flows of a kernel share."""
