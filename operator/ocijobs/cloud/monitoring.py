"""Utilisation of the machines of runs, from OCI Monitoring: many runs in one query for each metric.

The namespace is `oci_datascience_jobrun`, the dimension `resourceId` the run's OCID (as Oracle's samples query it).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from ocijobs.api.run.observed import RunMetrics, Utilisation
from ocijobs.backends.records import Refusal
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.sdk import monitoring_models as models

MOST_RUNS = 50
"""How many runs one query asks for: their OCIDs must fit into it."""

_NAMESPACE = "oci_datascience_jobrun"
_METRICS = {
    "cpu_utilization": "CpuUtilization",
    "memory_utilization": "MemoryUtilization",
    "disk_utilization": "DiskUtilization",
    "gpu_utilization": "GpuUtilization",
}
"""Field of status.metrics -> name of the metric."""

_INTERVALS = ((timedelta(hours=6), 1), (timedelta(days=1), 5), (timedelta(days=7), 20))
"""Longest time for which the query uses intervals of this many minutes; for more it uses hours."""

_HOUR = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run, and when its code started and ended."""

    run_id: str
    start: datetime
    end: datetime

    @property
    def interval_minutes(self) -> int:
        """Length of the intervals in which its utilisation is queried."""
        took = self.end - self.start
        return next((minutes for longest, minutes in _INTERVALS if took <= longest), _HOUR)


class Monitoring:
    """Queries metrics as the identity of the runs."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def utilisation(
        self, principal: Principal, compartment_id: str, spans: Sequence[Span]
    ) -> Mapping[str, RunMetrics] | Refusal:
        """Return the utilisation of runs, by run. Runs without data in Monitoring are left out.

        The spans have the same interval. A datapoint has the time of the start or of the end of its interval (no
        document says which), so the query includes one more interval on either side.
        """
        minutes = spans[0].interval_minutes
        margin = timedelta(minutes=minutes)
        found: dict[str, dict[str, Utilisation]] = defaultdict(dict)
        for name, metric in _METRICS.items():
            details = models.SummarizeMetricsDataDetails(
                namespace=_NAMESPACE,
                query=_query(metric, minutes, spans),
                start_time=min(span.start for span in spans) - margin,
                end_time=max(span.end for span in spans) + margin,
            )
            streams = await self._summarize(principal, compartment_id, details)
            if isinstance(streams, Refusal):
                return streams
            for stream in streams:
                values = [point.value for point in stream.aggregated_datapoints or ()]
                if values:
                    found[stream.dimensions.get("resourceId", "")][name] = _utilisation(values)
        return {run_id: RunMetrics(**used) for run_id, used in found.items()}

    async def _summarize(
        self,
        principal: Principal,
        compartment_id: str,
        details: Any,
    ) -> Sequence[Any] | Refusal:
        request = OciRequest(
            principal=principal, service=Service.MONITORING, operation="SummarizeMetricsData"
        )
        answer: Sequence[Any] | Refusal = await self._calls.call(
            request, lambda client: client.summarize_metrics_data(compartment_id, details).data
        )
        return answer


def _query(metric: str, minutes: int, spans: Sequence[Span]) -> str:
    interval = "1h" if minutes == _HOUR else f"{minutes}m"
    runs = "|".join(span.run_id for span in spans)
    return f'{metric}[{interval}]{{resourceId =~ "{runs}"}}.groupBy(resourceId).mean()'


def _utilisation(values: Sequence[float]) -> Utilisation:
    """Return the mean and the highest of the intervals' means, in percent with one decimal."""
    return Utilisation(mean=round(fmean(values), 1), max=round(max(values), 1))
