"""metrics.md: every metric of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from generators.files import REFERENCE, File
from generators.markdown import code, page, table, text
from ocijobs.telemetry.metrics import IdentityState, IdentityStates, Metrics, ObjectCounts, Silence

_INTRODUCTION = """\
`/metrics` serves these in Prometheus' text format, beside `/healthz` and `/readyz`, on the port of the setting
[`httpPort`](settings.md). No label names an object, so their number stays small. A histogram `x` is served as
`x_bucket`, `x_sum` and `x_count`. Every replica has the counts of objects, standbys, too; use those of the
leader with

```promql
ocijobs_runs and on (pod) (ocijobs_leader == 1)
```"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A metric as it is served."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def files() -> tuple[File, ...]:
    """Return the page."""
    rows = (
        (
            code(metric.name),
            metric.type,
            ", ".join(code(label) for label in metric.labels) or "—",
            text(metric.help),
        )
        for metric in sorted(described(), key=lambda metric: metric.name)
    )
    header = ("Metric", "Type", "Labels", "Meaning")
    source = "operator/ocijobs/telemetry/metrics.py"
    body = page("Metrics", source, _INTRODUCTION, table(header, rows))
    return (File(path=REFERENCE / "metrics.md", text=body),)


def described() -> Iterator[Described]:
    """Yield every metric of the operator's registry."""
    metrics = Metrics()
    for metric in vars(metrics.registry)["_collector_to_names"]:
        if isinstance(metric, MetricWrapperBase):
            [family] = metric.describe()
            total = "_total" if family.type == "counter" else ""
            yield Described(
                name=family.name + total,
                type=family.type,
                labels=tuple(vars(metric)["_labelnames"]),
                help=family.documentation,
            )
    counts = ObjectCounts(lambda: [("a", "b", "c")], lambda: [("a", "b", "c")])
    counts.take()
    identity = IdentityState(namespace="a", name="b", ready=True, verified_at=0.0)
    states = IdentityStates(lambda: [identity], lambda: ["a"])
    states.take()
    silence = Silence(lambda: {"a": 0.0})
    for family in (*counts.collect(), *states.collect(), *silence.collect()):
        yield Described(
            name=family.name,
            type=family.type,
            labels=tuple(family.samples[0].labels),
            help=family.documentation,
        )
