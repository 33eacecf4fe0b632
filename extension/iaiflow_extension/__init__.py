"""The Jupyter side of IAI Flow Lab."""
