"""An episode without load and without faults, for the two measurements (`faults.refreshes`, `faults.erasures`)."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from faults.campaign import service_copy
from faults.cluster import ServiceCluster
from faults.episode import Episode


@contextlib.contextmanager
def quiet_episode(seed: int) -> Iterator[Episode]:
    """Yield an episode in which nobody is connected and nothing happens."""
    with contextlib.ExitStack() as stack:
        package_root = stack.enter_context(service_copy())
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True))
        cluster = stack.enter_context(ServiceCluster(Path(home), package_root, seed))
        episode = Episode(cluster, seed, load=0)
        stack.callback(episode.end)
        yield episode
