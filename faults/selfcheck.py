"""Shows that the campaign can fail: every seeded defect has to be caught by the oracle. Must not judge by itself."""

import tempfile
import time
from collections import Counter
from pathlib import Path

from faults.campaign import play, snapshot
from faults.defects import DEFECTS, Defect
from faults.store import ROOT, TownError


def run(seed: int, only: str = "") -> int:
    """Try the service as it is, then every defect; print the table; return the exit status."""
    wanted = [defect for defect in DEFECTS if only in defect.name]
    steps = tuple(dict.fromkeys(step for defect in wanted for step in defect.steps))
    escaped = 0
    with snapshot() as source:
        found = play(seed, steps, package_root=source)
        sound = not found.violations
        laws = sorted({violation.law for _, violation in found.violations})
        print(
            f"{'the service as it is':52} {'no law broken' if sound else 'BROKEN: ' + ', '.join(laws)}",
            flush=True,
        )
        for violation in found.violations[:10]:
            print(f"    {violation[1].law}: {violation[1].detail}")
        for number, defect in enumerate(wanted, 1):
            began = time.monotonic()
            laws = caught(defect, seed, source)
            escaped += not laws
            told = ", ".join(laws) if laws else "ESCAPED"
            seconds = time.monotonic() - began
            print(f"{number:2}/{len(wanted)} {defect.name:50} {seconds:4.0f} s  {told}", flush=True)
    print(f"{len(wanted) - escaped} of {len(wanted)} seeded defects caught")
    return 0 if sound and not escaped else 1


def caught(defect: Defect, seed: int, source: Path = ROOT, *, load: int = 1) -> list[str]:
    """Return the laws that the oracle found broken under this defect."""
    with tempfile.TemporaryDirectory(prefix="faults-defect-") as folder:
        defect.apply(source, Path(folder))
        try:
            outcome = play(seed, defect.steps, package_root=Path(folder), load=load, patience=20)
        except (TownError, TimeoutError) as error:
            return [f"does not run: {error}"[:60]]
    counted = Counter(violation.law for _, violation in outcome.violations)
    return [f"{law} {count}" for law, count in counted.most_common()]
