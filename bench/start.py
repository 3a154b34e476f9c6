"""What it costs to start an operator: CPU, user and system, from exec until it is ready, leads, and works.

    .venv/bin/python -m bench.start --control-plane-dir /tmp/dev --times 10 --against /tmp/before/operator

Operators start one after another against one control plane and one local OCI, where an identity waits for them.
With `--against`, a folder that has another `ocijobs`, each start is followed by one of that, so that what else the
machine does falls on both; the ratio of the medians is then what counts. A control plane comes from
`kubecontrolplane up`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click
from tests.support.namespace import Document, condition
from tests.support.preloaded import Preloaded
from tests.support.stage import Stage
from tests.support.stages import install_definitions

from kubecontrolplane.cluster import find
from kubecontrolplane.testing import namespace_in
from oci_emulator.testing import Emulator
from ocijobs.testing.process import Launch, OperatorProcess

MARKS = ("ready", "leads", "works")
_LEAD_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LEADS = re.compile(r"^ocijobs_leader 1\.0$", re.MULTILINE)

Figures = Mapping[str, list[float]]
"""CPU seconds of each start, by mark."""


@click.command()
@click.option("--control-plane-dir", type=click.Path(path_type=Path), required=True)
@click.option("--times", default=10, show_default=True, help="Starts of each.")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another source.")
@click.option(
    "--forked", is_flag=True, help="And as tests start them (tests/support/preloaded.py)."
)
@click.option("--json", "report", type=click.Path(path_type=Path), help="File for the figures.")
def main(
    control_plane_dir: Path, times: int, against: Path | None, report: Path | None, *, forked: bool
) -> None:
    """Print what it costs to start an operator."""
    ways: dict[str, Launch] = {"here": subprocess.Popen}
    if against is not None:
        ways["against"] = _from(against)
    if forked:
        ways["forked"] = Preloaded()
    figures: dict[str, Figures] = {name: {mark: [] for mark in MARKS} for name in ways}
    with _stage(control_plane_dir) as stage:
        for _ in range(times):
            for name, launch in ways.items():
                for mark, seconds in _start(stage, launch).items():
                    figures[name][mark].append(seconds)
    _print(figures)
    if report is not None:
        report.write_text(json.dumps(figures, indent=2) + "\n")


def _from(source: Path) -> Launch:
    """Return what starts the operator of another source."""

    def launch(command: list[str], *, env: Mapping[str, str], **options: Any) -> Any:
        environment = {**env, "PYTHONPATH": str(source.absolute())}
        return subprocess.Popen(command, env=environment, **options)

    return launch


@contextmanager
def _stage(control_plane: Path) -> Iterator[Stage]:
    cluster = find(control_plane)
    install_definitions(cluster)
    with (
        tempfile.TemporaryDirectory() as folder,
        namespace_in(cluster, "bench-start") as namespace,
        Emulator(Path(folder, "oci"), mode="simulated") as emulator,
    ):
        stage = Stage(cluster, namespace, emulator, Path(folder, "stage"))
        try:
            yield stage
        finally:
            stage.end(clear=True)


def _start(stage: Stage, launch: Launch) -> dict[str, float]:
    """Start an operator and return its CPU seconds at each mark."""
    stage.identity()
    kubeconfig = stage.folder / "operator.kubeconfig"
    spent = {}
    with OperatorProcess(kubeconfig, stage.folder, stage.settings(), launch) as operator:
        operator.until_ready()
        spent["ready"] = _cpu_seconds(operator.pid)
        _await_lead(operator)
        spent["leads"] = _cpu_seconds(operator.pid)
        stage.until("OCIIdentity", "default", _accepted)
        spent["works"] = _cpu_seconds(operator.pid)
        stage.delete("OCIIdentity", "default")
        stage.until_gone("OCIIdentity", "default")
    return spent


def _await_lead(operator: OperatorProcess) -> None:
    deadline = time.monotonic() + _LEAD_SECONDS
    while not _LEADS.search(operator.fetch("/metrics") or ""):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the operator does not lead; see {operator.log}")
        # Its metrics tell who asks, and nobody else; nothing of the figures depends on when this is seen.
        time.sleep(0.02)


def _accepted(identity: Document) -> bool:
    return bool(condition(identity, "Ready")["status"] == "True")


def _cpu_seconds(process: int) -> float:
    """Return what a process has used, user and system, so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]  # 14 and 15 of proc(5), which counts from 1 and the two before
    return (int(user) + int(system)) / _TICKS


def _print(figures: Mapping[str, Figures]) -> None:
    click.echo(f"{'CPU seconds to':15} {'source':8} {'min':>6} {'median':>6} {'ratio':>6}")
    for mark in MARKS:
        base = median(figures.get("against", figures["here"])[mark])
        for name, found in figures.items():
            middle = median(found[mark])
            click.echo(
                f"{mark:15} {name:8} {min(found[mark]):6.2f} {middle:6.2f} {middle / base:6.2f}"
            )


if __name__ == "__main__":
    main()
