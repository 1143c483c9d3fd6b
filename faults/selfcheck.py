"""Shows that the campaign can fail: the checker has to catch every seeded defect, and pass the service as it is.

A defect is caught if the checker names the law that it breaks: a busy machine alone can leave a session unsettled.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

from faults.campaign import play_episode, service_copy
from faults.defects import DEFECTS, Defect
from faults.errors import ClusterError
from faults.paths import ROOT
from faults.result import CampaignResult
from faults.scenarios import CLUSTER_SCENARIOS, SENTINEL_SCENARIOS

_PATIENCE = 40.0
"""Seconds that an episode with a defect may take to converge: some never do, and a busy machine needs as long."""


def run(seed: int, only: str = "") -> int:
    """Try the service as it is, then each defect whose name contains `only`; print a table; return the exit status."""
    defects = [defect for defect in DEFECTS if only in defect.name]
    missed = 0
    with service_copy() as source:
        is_sound = _try_service(seed, defects, source)
        for number, defect in enumerate(defects, 1):
            began = time.monotonic()
            try:
                laws = broken_laws(defect, seed, source)
                is_caught = defect.law in laws
                text = ", ".join(f"{law} {count}" for law, count in laws.most_common())
                text = text if is_caught else f"NOT CAUGHT as {defect.law}: {text or 'no law broken'}"
            except (ClusterError, TimeoutError) as error:
                # The checker has judged nothing: any change that stops the service would pass for a caught defect.
                is_caught, text = False, f"DOES NOT RUN: {error}"[:120]
            missed += not is_caught
            seconds = time.monotonic() - began
            print(f"{number:2}/{len(defects)} {defect.name:50} {seconds:4.0f} s  {text}", flush=True)
    print(f"{len(defects) - missed} of {len(defects)} seeded defects caught")
    return 0 if is_sound and not missed else 1


def _try_service(seed: int, defects: list[Defect], source: Path) -> bool:
    """Play the defects' scenarios without a defect; tell whether every law holds."""
    scenarios = dict.fromkeys(name for defect in defects for name in defect.scenarios)
    of_their_own = [
        tuple(name for name in scenarios if name in kind) for kind in (SENTINEL_SCENARIOS, CLUSTER_SCENARIOS)
    ]
    others = tuple(name for name in scenarios if not any(name in names for names in of_their_own))
    result = CampaignResult()
    for names in filter(None, (others, *of_their_own)):
        result.add(play_episode(seed, names, package_root=source))
    laws = sorted({violation.law for _, violation in result.violations})
    text = "BROKEN: " + ", ".join(laws) if laws else "no law broken"
    print(f"{'the service as it is':52} {text}", flush=True)
    for _, violation in result.violations[:10]:
        print(f"    {violation.law}: {violation.detail}")
    return not laws


def broken_laws(defect: Defect, seed: int, source: Path = ROOT, *, load: int = 1) -> Counter[str]:
    """Return how many violations of each law the checker finds under this defect."""
    with tempfile.TemporaryDirectory(prefix="faults-defect-") as folder:
        defect.apply(source, Path(folder))
        result = play_episode(
            seed, defect.scenarios, package_root=Path(folder), load=load, patience=_PATIENCE
        )
    return Counter(violation.law for _, violation in result.violations)
