"""All that the author of a node imports."""
