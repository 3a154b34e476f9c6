"""Whether the lease is held where CPU is scarce: the operator gets no more than the chart requests.

    .venv/bin/python -m bench.scarce --cpu 0.1 --namespaces 50 --runs 2 --json scarce.json

A node that is full gives a pod what it requests and nothing more. Here a second process stops the operator and its
children whenever they have used more than that, and continues them when they may go on. Many namespaces have a job and
runs of their own meanwhile. Nothing here passes or fails; the pauses between renewals count against the lease's term.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import click
from bench.sweep import cpu_seconds, one_stage
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage

from kubecontrolplane.testing import namespace_in

SETTINGS = {"poll_min_seconds": 2, "poll_max_seconds": 5, "oci_rate_max": 50}
_PERIOD_SECONDS = 0.02
_BURST_SECONDS = 0.02
_REFUSED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How the lease was held.

    Attributes:
        cpu: cores that the operator got at most.
        cpu_used: cores that it used.
        runs: how many there were, all namespaces together.
        seconds: from the first creation to the last run's end.
        renewals: of the lease meanwhile.
        longest_pause_seconds: between two renewals.
        pause_by_term: the former by the lease's duration; at 1 another replica would lead.
        leader_changes: how often the lease changed hands, the first time included.
    """

    cpu: float
    cpu_used: float
    runs: int
    seconds: float
    renewals: int
    longest_pause_seconds: float
    pause_by_term: float
    leader_changes: int


@click.command()
@click.option("--cpu", default=0.1, show_default=True, help="Cores that the operator gets.")
@click.option("--namespaces", default=50, show_default=True, help="Namespaces that are busy.")
@click.option("--runs", default=2, show_default=True, help="Runs in each of them.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures there.")
def main(cpu: float, namespaces: int, runs: int, target: Path | None) -> None:
    """Measure renewals of the lease."""
    with one_stage(**SETTINGS) as stage:
        figures = measure(stage, cpu=cpu, namespaces=namespaces, runs=runs)
    for name, value in asdict(figures).items():
        click.echo(f"{name.replace('_', ' '):24}{value:>12,.2f}")
    if target is not None:
        target.write_text(json.dumps(asdict(figures), indent=1) + "\n")


def measure(stage: Stage, *, cpu: float, namespaces: int, runs: int) -> Figures:
    """Have many namespaces run something while the operator has little CPU."""
    stage.emulator.set_mode(default={"accepted": 1, "inProgress": 5})
    with ExitStack() as stack:
        named = (namespace_in(stage.cluster, "team", delete=False) for _ in range(namespaces))
        teams = [stage.elsewhere(stack.enter_context(name)) for name in named]
        watched = json.dumps([team.namespace for team in teams])
        stage.operator.end()
        stage.start_operator(**SETTINGS, watch_namespaces=watched)
        teams[0].identity()
        teams[0].apply(manifests.job())
        teams[0].until_synced("job")
        before, used, began = (
            len(_renewals(stage)),
            cpu_seconds(stage.operator.pid),
            time.monotonic(),
        )
        with at_most(cpu, stage.operator.pid):
            _work(teams, runs)
        seconds, used = time.monotonic() - began, cpu_seconds(stage.operator.pid) - used
        renewals = _renewals(stage)[before - 1 :]
    pauses = [(later - one).total_seconds() for one, later in pairwise(renewals)]
    return Figures(
        cpu=cpu,
        cpu_used=used / seconds,
        runs=namespaces * runs,
        seconds=seconds,
        renewals=len(pauses),
        longest_pause_seconds=max(pauses),
        pause_by_term=max(pauses) / float(str(stage.settings()["lease_duration_seconds"])),
        leader_changes=_leader_changes(stage),
    )


def _work(teams: Iterable[Stage], runs: int) -> None:
    """Have each team make a job and run it, all at once, and await the ends."""
    for team in teams:
        team.identity()
        team.apply(manifests.job())
        for number in range(runs):
            team.create(manifests.run(f"run-{number}"))
    for team in teams:
        for number in range(runs):
            ended = team.until_ended(f"run-{number}", seconds=3600)
            if phase(ended) != "Succeeded":
                raise click.ClickException(f"a run has not succeeded: {ended['status']}")


def _renewals(stage: Stage) -> list[datetime]:
    """Return when the operator has written its lease, as the API server has noted it."""
    leases = (e for e in stage.audited() if e.get("objectRef", {}).get("resource") == "leases")
    written = (e for e in leases if e["verb"] != "get" and e["responseStatus"]["code"] < _REFUSED)
    return [datetime.fromisoformat(e["requestReceivedTimestamp"]) for e in written]


def _leader_changes(stage: Stage) -> int:
    """Return how often the lease has changed hands, or lapsed and been taken again."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{stage.home}/leases/ocijobs-operator"
    lease = stage.cluster.api().request("GET", path)
    return int(lease["spec"].get("leaseTransitions", 0))


@contextmanager
def at_most(cores: float, *pids: int) -> Iterator[None]:
    """Stop processes whenever they have used more CPU than a full node would give them, and continue them later."""
    over = threading.Event()
    thread = threading.Thread(target=_throttle, args=(cores, pids, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _throttle(cores: float, pids: Sequence[int], over: threading.Event) -> None:
    began, at_first = time.monotonic(), sum(map(cpu_seconds, pids))
    spared = 0.0
    while not over.wait(_PERIOD_SECONDS):
        earned = (time.monotonic() - began) * cores
        owed = sum(map(cpu_seconds, pids)) - at_first - earned
        # What was not used is not saved up: a node that is full gives nothing back.
        spared = max(spared, -owed - _BURST_SECONDS)
        signalled = signal.SIGSTOP if owed + spared > 0 else signal.SIGCONT
        for pid in pids:
            os.kill(pid, signalled)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    main()
