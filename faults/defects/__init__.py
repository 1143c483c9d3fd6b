"""The seeded defects: mistakes that could be made in the service, each as a small change to a copy of it.

One module a subject. A defect names a file of the service, a text that stands in it exactly once, and what replaces it;
a change of the service may require a change here, and `tests/faults` says so.
"""

from faults.defects import disconnects, erasures, google, grants, leases, limits, sessions, store
from faults.defects.defect import Defect

DEFECTS: tuple[Defect, ...] = (
    *leases.DEFECTS,
    *sessions.DEFECTS,
    *google.DEFECTS,
    *grants.DEFECTS,
    *disconnects.DEFECTS,
    *erasures.DEFECTS,
    *store.DEFECTS,
    *limits.DEFECTS,
)
__all__ = ["DEFECTS", "Defect"]
