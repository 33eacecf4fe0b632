"""`python -m iaiflow_lab` is the command `iaiflow`."""

from iaiflow_lab.cli import main

main()
