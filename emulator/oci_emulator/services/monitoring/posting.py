"""Datapoints that clients post."""

import math
import re
import time
from datetime import datetime

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, invalid
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.monitoring.store import MetricStore, Point, Stream

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,254}[a-z0-9]")
_RESERVED = ("oci_", "oracle_")
_NAME = re.compile(r"[A-Za-z][\w.$-]{0,254}", re.ASCII)
_DIMENSION = re.compile(r"[\x21-\x7e]{1,256}")
_LONGEST_VALUE = 512
_LONGEST_METADATA = 256
_GREATEST_COUNT = (1 << 63) - 1


class Posting:
    """PostMetricData."""

    def __init__(self, foundation: Foundation, store: MetricStore) -> None:
        self._foundation = foundation
        self._store = store

    def post(self, call: Call) -> Answer:
        """PostMetricData: what can't be taken is told.

        Nothing is taken if nothing can be, or with ATOMIC, if one metric can't.
        """
        metrics = call.body["metricData"]
        rules = self._foundation.rules
        if not 1 <= len(metrics) <= rules.metric_streams_maximum:
            raise invalid(f"metricData: must have 1 to {rules.metric_streams_maximum} metrics")
        for metric in metrics:
            variables = {"target.metrics.namespace": metric["namespace"]}
            call.require(metric["compartmentId"], variables=variables)
        taken, failed = [], []
        for index, metric in enumerate(metrics):
            try:
                taken.append(self._checked(metric, f"metricData[{index}]"))
            except ServiceError as error:
                nothing_else = not taken and index == len(metrics) - 1
                if call.body.get("batchAtomicity") == "ATOMIC" or nothing_else:
                    raise
                failed.append({"message": error.message, "metricData": metric})
        for stream, points in taken:
            self._store.add(stream, points, now=call.now)
        return Answer(body={"failedMetricsCount": len(failed), "failedMetrics": failed})

    def _checked(self, metric: JsonObject, path: str) -> tuple[Stream, list[Point]]:
        namespace = metric["namespace"]
        if not _NAMESPACE.fullmatch(namespace) or namespace.startswith(_RESERVED):
            raise invalid(
                f"{path}.namespace: must be letters in lower case, digits and underscores, and not"
                f" begin with {' or '.join(_RESERVED)}"
            )
        for field in ("name", "resourceGroup"):
            if field in metric and not _NAME.fullmatch(metric[field]):
                raise invalid(f"{path}.{field}: must be letters, digits and . _ - $")
        self._check_dimensions(metric["dimensions"], path)
        for name, value in metric.get("metadata", {}).items():
            if max(len(name), len(value)) > _LONGEST_METADATA:
                raise invalid(f"{path}.metadata.{name[:100]}: has at most 256 characters")
        if not metric["datapoints"]:
            raise invalid(f"{path}.datapoints: must have a datapoint")
        stream = Stream(
            compartment=metric["compartmentId"],
            namespace=namespace,
            resource_group=metric.get("resourceGroup", ""),
            name=metric["name"],
            dimensions=metric["dimensions"],
            metadata=metric.get("metadata", {}),
        )
        return stream, [self._point(point, path) for point in metric["datapoints"]]

    def _check_dimensions(self, dimensions: JsonObject, path: str) -> None:
        most = self._foundation.rules.metric_dimensions_maximum
        if not 1 <= len(dimensions) <= most:
            raise invalid(f"{path}.dimensions: must have 1 to {most} dimensions")
        for name, value in dimensions.items():
            if not _DIMENSION.fullmatch(name) or not 1 <= len(value) <= _LONGEST_VALUE:
                raise invalid(
                    f"{path}.dimensions.{name[:100]}: is empty, too long or not printable"
                )

    def _point(self, point: JsonObject, path: str) -> Point:
        # Clients stamp by their own clocks, so real time it is held against.
        moment = datetime.fromisoformat(point["timestamp"]).timestamp()
        rules, now = self._foundation.rules, time.time()
        oldest = now - rules.metric_oldest_minutes * 60
        newest = now + rules.metric_newest_minutes * 60
        if not oldest <= moment <= newest:
            raise invalid(
                f"{path}.datapoints: a timestamp must be of the last"
                f" {rules.metric_oldest_minutes} minutes, and at most"
                f" {rules.metric_newest_minutes} minutes ahead"
            )
        count = point.get("count", 1)
        if not 1 <= count <= _GREATEST_COUNT or not math.isfinite(point["value"]):
            raise invalid(f"{path}.datapoints: a count must be 1 or more, a value finite")
        return Point(moment, float(point["value"]), count)
