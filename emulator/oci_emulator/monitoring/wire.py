"""The operations of Monitoring."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from oci_emulator.clock import timestamp
from oci_emulator.foundation import Foundation
from oci_emulator.jsontypes import JsonObject
from oci_emulator.monitoring import mql
from oci_emulator.monitoring.mql import Query, QueryError
from oci_emulator.monitoring.posting import Posting
from oci_emulator.monitoring.store import MetricStore, Stream
from oci_emulator.monitoring.summarize import grouped, windows
from oci_emulator.server.calls import Answer, Call, Endpoint
from oci_emulator.server.errors import invalid
from oci_emulator.server.paging import items_page

METRICS = "metrics"
_DEFAULT_PERIOD = 3 * 3600.0
_LISTED_PERIOD = 14 * 86400.0
_MAXIMUM = 1000
_MAXIMUM_OVERLAP = 60
"""How many intervals one datapoint may be in."""
_GROUPS = ("namespace", "name", "resourceGroup", "compartmentId")
_SORT = {"NAMESPACE": "namespace", "NAME": "name", "RESOURCEGROUP": "resourceGroup"}


class Monitoring:
    """Takes datapoints and answers queries."""

    def __init__(self, foundation: Foundation, store: MetricStore) -> None:
        self._foundation = foundation
        self._store = store
        self._posting = Posting(foundation, store)

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The operations."""
        return {
            "PostMetricData": Endpoint(handle=self._posting.post, verb="use", family=METRICS),
            "SummarizeMetricsData": Endpoint(handle=self.summarize, verb="read", family=METRICS),
            "ListMetrics": Endpoint(handle=self.list_metrics, verb="inspect", family=METRICS),
        }

    def summarize(self, call: Call) -> Answer:
        """SummarizeMetricsData: from startTime to before endTime, by default the last 3 hours."""
        compartments = self._compartments(call)
        try:
            query = mql.parse(call.body["query"])
            resolution = (
                mql.seconds(call.body["resolution"])
                if "resolution" in call.body
                else query.interval
            )
        except QueryError as error:
            raise invalid(f"query: {error}") from None
        if query.interval > _MAXIMUM_OVERLAP * resolution:
            raise invalid(
                f"resolution: must be {query.interval // _MAXIMUM_OVERLAP} s or more for this interval"
            )
        end = _time(call.body, "endTime", call.now)
        start = _time(call.body, "startTime", end - _DEFAULT_PERIOD)
        if start >= end:
            raise invalid("startTime: must be before endTime")
        streams = self._store.streams(
            compartments,
            namespace=call.body["namespace"],
            name=query.metric,
            resource_group=call.body.get("resourceGroup"),
            since=start,
        )
        answer = []
        for key, members in grouped(streams, query).items():
            points = [point for each in members for point in self._store.points(each, start, end)]
            if points:
                values = self._values(windows(points, query, resolution), query)
                answer.append(_metric_data(members[0], query, dict(key), values))
        return Answer(body=answer)

    def _values(self, found: Sequence[tuple[float, float]], query: Query) -> list[JsonObject]:
        at_end = self._foundation.rules.metric_timestamp == "end"
        shift = query.interval if at_end else 0
        return [{"timestamp": timestamp(start + shift), "value": value} for start, value in found]

    def list_metrics(self, call: Call) -> Answer:
        """ListMetrics: what had datapoints in the last 14 days."""
        streams = self._store.streams(
            self._compartments(call),
            namespace=call.body.get("namespace"),
            name=call.body.get("name"),
            resource_group=call.body.get("resourceGroup"),
            since=call.now - _LISTED_PERIOD,
        )
        wanted = call.body.get("dimensionFilters", {}).items()
        listed = [_metric(each) for each in streams if wanted <= each.dimensions.items()]
        if "groupBy" in call.body:
            listed = _distinct(listed, call.body["groupBy"])
        field = _SORT[call.body.get("sortBy", "NAMESPACE")]
        listed.sort(
            key=lambda metric: str(metric.get(field, "")),
            reverse=call.body.get("sortOrder") == "DESC",
        )
        return items_page(listed, call, default_limit=_MAXIMUM, maximum=_MAXIMUM)

    def _compartments(self, call: Call) -> Sequence[str]:
        compartment = call.query["compartmentId"]
        call.require(compartment)
        if not call.query.get("compartmentIdInSubtree"):
            return [compartment]
        if compartment != self._foundation.tenancy.id:
            raise invalid("compartmentIdInSubtree: is only for the tenancy")
        within = self._foundation.compartments.subtree(compartment)
        return [each for each in within if call.permits(each, family=METRICS)]


def _time(body: JsonObject, name: str, default: float) -> float:
    return datetime.fromisoformat(body[name]).timestamp() if name in body else default


def _metric_data(
    stream: Stream, query: Query, dimensions: Mapping[str, str], values: list[JsonObject]
) -> JsonObject:
    shown: JsonObject = {
        "namespace": stream.namespace,
        "compartmentId": stream.compartment,
        "name": query.metric,
        "dimensions": dimensions,
        "metadata": stream.metadata,
        "aggregatedDatapoints": values,
    }
    return shown | ({"resourceGroup": stream.resource_group} if stream.resource_group else {})


def _metric(stream: Stream) -> JsonObject:
    shown: JsonObject = {
        "namespace": stream.namespace,
        "name": stream.name,
        "compartmentId": stream.compartment,
        "dimensions": stream.dimensions,
    }
    return shown | ({"resourceGroup": stream.resource_group} if stream.resource_group else {})


def _distinct(listed: Sequence[JsonObject], fields: Sequence[str]) -> list[JsonObject]:
    """Each combination of the fields once."""
    if strangers := set(fields) - set(_GROUPS):
        raise invalid(f"groupBy: must be of {', '.join(_GROUPS)}, not {min(strangers)[:50]!r}")
    found = {
        tuple(metric.get(field, "") for field in fields): {
            field: metric[field] for field in fields if field in metric
        }
        for metric in listed
    }
    return list(found.values())
