"""A view of a memory in a notebook: the kernel's side. Its browser side is built from extension/.

Nothing of it is imported until a memory is shown.
"""
