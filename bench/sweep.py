"""A large sweep against the local OCI: how close it comes to what its runs alone take, and what a run costs.

    .venv/bin/python -m bench.sweep --runs 1000 --parallelism 100 --json sweep.json

Nothing here passes or fails. Each figure is held against something that the same run has measured, so that figures of
two machines can be compared.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage
from tests.support.stages import install_definitions

from kubecontrolplane.cluster import up
from kubecontrolplane.testing import namespace_in
from oci_emulator.testing import Emulator
from ocijobs.api.run.spec import OCIJobRun

SETTINGS = {
    "poll_min_seconds": 1,
    "poll_max_seconds": 1,
    "oci_rate_max": 50,
    "aggregate_interval_seconds": 10,
    # A machine of two cores has the control plane and the local OCI to run, too.
    "lease_duration_seconds": 30,
    "workers": 32,
}
_PARSED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a sweep has cost.

    Attributes:
        runs: how many there were.
        parallelism: how many could be active at a time.
        most_active: how many were.
        seconds: from the sweep's creation to its end.
        floor_seconds: what all runs take together in OCI, divided by `parallelism`.
        seconds_by_floor: the first by the second; 1 is ideal.
        operator_cpu_seconds: of the operator's process, from the sweep's creation to its end.
        cpu_per_run_by_unit: of that, a run's part, in units of what it takes this machine to read 1,000 runs of JSON.
        oci_requests_per_run: all requests to OCI.
        run_writes_per_run: writes of OCIJobRuns to the API server.
        sweep_writes_per_run: writes of the OCIJobSweep.
    """

    runs: int
    parallelism: int
    most_active: int
    seconds: float
    floor_seconds: float
    seconds_by_floor: float
    operator_cpu_seconds: float
    cpu_per_run_by_unit: float
    oci_requests_per_run: float
    run_writes_per_run: float
    sweep_writes_per_run: float


@click.command()
@click.option("--runs", default=1000, show_default=True, help="Runs of the sweep.")
@click.option("--parallelism", default=100, show_default=True, help="Runs at a time.")
@click.option("--seconds", default=20.0, show_default=True, help="What a run takes in OCI.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures there.")
def main(runs: int, parallelism: int, seconds: float, target: Path | None) -> None:
    """Measure a sweep."""
    with one_stage(**SETTINGS) as stage:
        figures = measure(stage, runs=runs, parallelism=parallelism, run_seconds=seconds)
    for name, value in asdict(figures).items():
        click.echo(f"{name.replace('_', ' '):24}{value:>12,.2f}")
    if target is not None:
        target.write_text(json.dumps(asdict(figures), indent=1) + "\n")


@contextmanager
def one_stage(**settings: object) -> Iterator[Stage]:
    """Have a control plane, a local OCI, and an operator with the permissions that it declares."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        cluster = up(Path(folder) / "cluster", audit=True)
        try:
            install_definitions(cluster)
            with (
                namespace_in(cluster, "bench", delete=False) as namespace,
                Emulator(Path(folder) / "oci", mode="simulated") as emulator,
            ):
                stage = Stage(cluster, namespace, emulator, Path(folder) / "stage")
                stage.start_operator(**settings)
                try:
                    yield stage
                finally:
                    stage.end(clear=False)
        finally:
            cluster.down(delete=True)


def measure(stage: Stage, *, runs: int, parallelism: int, run_seconds: float) -> Figures:
    """Run a sweep of simulated runs to its end."""
    stage.emulator.set_mode(default={"accepted": 1, "inProgress": max(0.0, run_seconds - 1)})
    stage.identity()
    stage.apply(manifests.job())
    stage.until_synced("job")
    points = [{"parameters": {"POINT": str(number)}} for number in range(runs)]
    requests = stage.emulator.last_seq()
    cpu, began = cpu_seconds(stage.operator.pid), time.monotonic()
    stage.create(manifests.sweep(points=points, parallelism=parallelism))
    ended = stage.until(
        "OCIJobSweep",
        "sweep",
        lambda sweep: phase(sweep) in {"Succeeded", "Failed"},
        seconds=10 * runs / parallelism * run_seconds + 600,
    )
    seconds, cpu = time.monotonic() - began, cpu_seconds(stage.operator.pid) - cpu
    if phase(ended) != "Succeeded":
        raise click.ClickException(f"the sweep has not succeeded: {ended['status']}")
    in_oci = (run.time_finished - run.time_accepted for run in stage.job_runs())
    floor = sum(each.total_seconds() for each in in_oci) / parallelism
    writes = Counter(kind for kind in ("OCIJobRun", "OCIJobSweep") for _ in stage.writes(kind))
    return Figures(
        runs=runs,
        parallelism=parallelism,
        most_active=stage.most_active_runs(),
        seconds=seconds,
        floor_seconds=floor,
        seconds_by_floor=seconds / floor,
        operator_cpu_seconds=cpu,
        cpu_per_run_by_unit=cpu / runs / unit_seconds(),
        oci_requests_per_run=(stage.emulator.last_seq() - requests) / runs,
        run_writes_per_run=writes["OCIJobRun"] / runs,
        sweep_writes_per_run=writes["OCIJobSweep"] / runs,
    )


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken, in user and kernel mode."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(after_name[11]), int(after_name[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def unit_seconds() -> float:
    """Return the CPU time that reading 1,000 runs of JSON takes here: a measure of the machine."""
    meta = {"namespace": "a", "uid": "u", "resourceVersion": "1", "generation": 1}
    run = manifests.run()
    run["metadata"] |= {**meta, "creationTimestamp": "2026-01-01T00:00:00Z"}
    text, began = json.dumps(run), time.process_time()
    for _ in range(_PARSED):
        OCIJobRun.model_validate(json.loads(text))
    return (time.process_time() - began) * 1000 / _PARSED


if __name__ == "__main__":
    main()
