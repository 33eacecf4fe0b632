"""The kernel's side of the canvas: sessions over a comm, run state, values to look at."""
