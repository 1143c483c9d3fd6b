"""`python -m calendar_service`: the command line."""

from calendar_service.cli import main

main()
