"""The Python facade: flows that can be drawn, saved and run, their runs, and the workspace."""
