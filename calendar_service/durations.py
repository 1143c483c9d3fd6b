"""How long something took, counted in buckets by this process. Must not know of whom: labels are from short lists."""

from dataclasses import dataclass
from typing import Final

from prometheus_client import Histogram
from prometheus_client.metrics_core import Metric

BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds in seconds: a request that waits for the database alone, one call at Google, its deadline of 8 s."""


@dataclass(frozen=True, slots=True)
class DurationMetric:
    """What is measured, as /metrics names and explains it."""

    name: str
    help_text: str
    labels: tuple[str, ...]


REQUESTS: Final = DurationMetric(
    "calendar_http_request_duration_seconds",
    "Time from a request's first step to its answer, by the path's template, method and class of status.",
    ("route", "method", "status"),
)
GOOGLE_CALLS: Final = DurationMetric(
    "calendar_google_call_duration_seconds",
    "Time of a call at Google, by its name and its outcome: a class of status, or why there was no answer.",
    ("call", "outcome"),
)


def status_class(status: int) -> str:
    """Return the class of an HTTP status, such as `2xx`."""
    return f"{status // 100}xx"


class Durations:
    """A histogram of seconds. Safe to share between threads."""

    def __init__(self, metric: DurationMetric) -> None:
        """Begin with none counted."""
        self._histogram = Histogram(
            metric.name, metric.help_text, metric.labels, buckets=BUCKETS, registry=None
        )

    def record(self, seconds: float, *labels: str) -> None:
        """Count one that took these seconds, under the values of its labels in their order."""
        self._histogram.labels(*labels).observe(seconds)

    def family(self) -> Metric:
        """Return what was counted so far."""
        (family,) = self._histogram.collect()
        # The library adds when each series began, as a metric more; nothing here asks for it.
        family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        return family
