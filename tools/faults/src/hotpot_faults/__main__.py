"""`python -m hotpot_faults`."""

from .command_line import main

main()
