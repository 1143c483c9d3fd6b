"""A second checker that knows only HTTP: it compares what was accepted with Google and with the service's answers.

It reads what a backend and a person could read: the lists of sessions and single sessions of the internal API, with
`read=google` too, the webhooks that the receiver has accepted, and the local Google's data. It knows nothing of the
store and imports nothing of the service, so an error in what the first checker thinks of the store cannot hide here.

| compared | law |
|---|---|
| the driver's book with Google | `lost`, `duplicate`, `wrong_final` |
| the driver's book with the service's answers | `wrong_answer` |
| the service's answers with Google, with each other, and with the webhooks | `wrong_answer` |
"""

from faults.checker import Violation
from faults.http_checker.comparison import compare
from faults.http_checker.reading import Addresses, HttpEvidence, read

__all__ = ["Addresses", "HttpEvidence", "Violation", "check", "compare", "read"]


def check(evidence: HttpEvidence) -> list[Violation]:
    """Return every difference."""
    return list(compare(evidence))
