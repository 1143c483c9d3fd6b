"""`python -m calendar_service.operators` prints the tables of docs/operators.md."""

import sys

from calendar_service import operators
from calendar_service.operators.differences import tables

if __name__ == "__main__":
    sys.stdout.write(tables([operators.load(name) for name in operators.shipped()]))
