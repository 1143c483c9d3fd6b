"""`python -m calendar_service.health` prints the table of docs/metrics.md."""

import sys

from calendar_service.health.metrics import table

if __name__ == "__main__":
    sys.stdout.write(table())
