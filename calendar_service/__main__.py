"""`python -m calendar_service`: the command line. Must not hold more than that."""

from calendar_service.cli import main

main()
