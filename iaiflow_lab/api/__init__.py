"""The HTTP interface: routes of a few lines each over the service."""
