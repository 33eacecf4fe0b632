"""Tells people about runs: what stands in the outbox is written down for them and sent."""
