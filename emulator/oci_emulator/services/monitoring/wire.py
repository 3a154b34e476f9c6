"""The operations of Monitoring."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from oci_emulator.calls.call import Answer, Call, Endpoint
from oci_emulator.calls.errors import ServiceError, invalid
from oci_emulator.calls.paging import items_page
from oci_emulator.formats import wildcard
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.monitoring import mql
from oci_emulator.services.monitoring.mql import Query, QueryError
from oci_emulator.services.monitoring.posting import Posting
from oci_emulator.services.monitoring.store import MetricStore, Stream
from oci_emulator.services.monitoring.summarize import Window, absences, grouped, windows
from oci_emulator.time.clock import timestamp

METRICS = "metrics"
_DEFAULT_PERIOD = 3 * 3600.0
_LISTED_PERIOD = 14 * 86400.0
_MAXIMUM = 1000
_MAXIMUM_OVERLAP = 60
"""How many intervals one datapoint may be in."""
_GROUPS = ("namespace", "name", "resourceGroup")
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
        query, resolution = _query(call.body)
        end = _time(call.body, "endTime", call.now)
        start = _time(call.body, "startTime", end - _DEFAULT_PERIOD)
        if start >= end:
            raise invalid("startTime: must be before endTime")
        # What is absent is so after a datapoint that may be older.
        since = start - query.absence
        streams = self._store.streams(
            compartments,
            namespace=call.body["namespace"],
            name=query.metric,
            resource_group=call.body.get("resourceGroup", ""),
            since=since,
        )
        answer = []
        for (_, dimensions), members in grouped(streams, query).items():
            points = [point for each in members for point in self._store.points(each, since, end)]
            if query.statistic == "absent":
                found = absences(points, query, resolution, since=start, until=end)
            else:
                found = windows(points, query, resolution, since=start)
            if found:
                values = self._values(found, query)
                answer.append(_metric_data(members[0], query, dict(dimensions), values))
        return Answer(body=answer)

    def _values(self, found: Sequence[Window], query: Query) -> list[JsonObject]:
        at_end = self._foundation.rules.metric_timestamp == "end"
        shift = query.interval if at_end else 0
        if not all(math.isfinite(value) for _, value in found):
            raise invalid(f"query: {query.statistic} of {query.metric} is larger than a number")
        return [{"timestamp": timestamp(start + shift), "value": value} for start, value in found]

    def list_metrics(self, call: Call) -> Answer:
        """ListMetrics: what had datapoints in the last 14 days; ``*`` stands for anything."""
        streams = self._store.streams(self._compartments(call), since=call.now - _LISTED_PERIOD)
        listed = [metric for metric in map(_metric, streams) if _wanted(metric, call.body)]
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
        _require(call, compartment)
        if not call.query.get("compartmentIdInSubtree"):
            return [compartment]
        if compartment != self._foundation.tenancy.id:
            raise invalid("compartmentIdInSubtree: is only for the tenancy")
        within = self._foundation.compartments.subtree(compartment)
        return [each for each in within if _permits(call, each)]


def _require(call: Call, compartment: str) -> None:
    named = {"target.metrics.namespace": call.body["namespace"]} if "namespace" in call.body else {}
    call.require(compartment, variables=named)


def _permits(call: Call, compartment: str) -> bool:
    """Whether the principal may read there; a query of the tenancy leaves out where it may not."""
    try:
        _require(call, compartment)
    except ServiceError:
        return False
    return True


def _query(body: JsonObject) -> tuple[Query, int]:
    """The query, and the seconds from the start of one interval to that of the next."""
    try:
        query = mql.parse(body["query"])
    except QueryError as error:
        raise invalid(f"query: {error}") from None
    try:
        resolution = mql.seconds(body["resolution"]) if "resolution" in body else query.interval
    except QueryError as error:
        raise invalid(f"resolution: {error}") from None
    if resolution > query.interval:
        raise invalid("resolution: must not be longer than the interval of the query")
    if query.interval > _MAXIMUM_OVERLAP * resolution:
        raise invalid(
            f"resolution: must be {query.interval // _MAXIMUM_OVERLAP} s or more for this interval"
        )
    return query, resolution


_FILTERS = ("namespace", "name", "resourceGroup")


def _wanted(metric: JsonObject, body: JsonObject) -> bool:
    """Whether a list with these properties shows a metric.

    A list without any shows all; one without resourceGroup only metrics that have none.
    """
    by_dimension = "dimensionFilters" in body and "groupBy" not in body
    if not by_dimension and body.keys().isdisjoint(_FILTERS):
        return True
    if "resourceGroup" not in body and "resourceGroup" in metric:
        return False
    if by_dimension and not all(
        wildcard.fits(metric["dimensions"].get(name, ""), pattern)
        for name, pattern in body["dimensionFilters"].items()
    ):
        return False
    return all(wildcard.fits(metric.get(name, ""), body[name]) for name in _FILTERS if name in body)


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
