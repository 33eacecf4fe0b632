"""The coordinator: who may execute which run, and until when."""
