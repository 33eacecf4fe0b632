"""Notebook runs: reading a notebook, its parameters, its kernel, and the steps made inside it."""
