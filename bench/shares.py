"""What one principal's trouble with OCI costs another one: how long its runs take beside it, and alone.

    .venv/bin/python -m bench.shares --noisy 40 --runs 5 --json shares.json

Nothing here passes or fails. The same runs are timed three times within one life of the operator: alone, beside runs of
a principal that OCI always answers 429, and beside runs of one that it answers after ten seconds. Ratios count.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from bench.sweep import cpu_seconds, one_stage
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage

SETTINGS = {"poll_min_seconds": 1, "poll_max_seconds": 1}
TROUBLES: Mapping[str, Mapping[str, Any]] = {
    "throttled": {"status": 429, "code": "TooManyRequests", "retryAfter": 5},
    "slow": {"delay": 10},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What runs took beside one trouble.

    Attributes:
        seconds: from their creation to the end of the last one.
        seconds_by_alone: the first by what they took alone; 1 is ideal.
        polls_by_alone: lists of job runs that their principal asked for, by those alone.
        operator_cpu_seconds: of the operator's process meanwhile.
    """

    seconds: float
    seconds_by_alone: float
    polls_by_alone: float
    operator_cpu_seconds: float


@click.command()
@click.option("--noisy", default=40, show_default=True, help="Runs of the principal in trouble.")
@click.option("--runs", default=5, show_default=True, help="Runs of the other one, one by one.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures there.")
def main(noisy: int, runs: int, target: Path | None) -> None:
    """Measure the shares of two principals."""
    with one_stage(**SETTINGS) as stage:
        found = measure(stage, noisy=noisy, runs=runs)
    for name, figures in found.items():
        click.echo(name)
        for what, value in asdict(figures).items():
            click.echo(f"  {what.replace('_', ' '):24}{value:>12,.2f}")
    if target is not None:
        shown = {name: asdict(figures) for name, figures in found.items()}
        target.write_text(json.dumps(shown, indent=1) + "\n")


def measure(stage: Stage, *, noisy: int, runs: int) -> dict[str, Figures]:
    """Return what runs of one principal take alone, and beside each trouble of another one."""
    emulator = stage.emulator
    emulator.set_mode(default={"accepted": 0.5, "inProgress": 1})
    other = emulator.add_user("other", groups=["data-scientists"])
    stage.identity()
    stage.identity(other.config, name="other")
    stage.apply(manifests.job("noisy"), manifests.job("quiet", identityRef={"name": "other"}))
    for name in ("noisy", "quiet"):
        stage.until_synced(name)
    alone = _lives(stage, other.id, "alone", runs)
    found = {"alone": _figures(alone, alone)}
    for name, trouble in TROUBLES.items():
        fault = emulator.add_fault(principal=emulator.user, **trouble)
        for number in range(noisy):
            stage.create(manifests.run(f"{name}-{number}", of="noisy"))
        stage.until("OCIJobRun", f"{name}-0", lambda run: phase(run) == "Pending")
        found[name] = _figures(_lives(stage, other.id, f"beside-{name}", runs), alone)
        emulator.remove_fault(fault)
        for number in range(noisy):
            stage.until_ended(f"{name}-{number}")
    return found


@dataclass(frozen=True, slots=True)
class _Lives:
    seconds: float
    polls: int
    cpu: float


def _lives(stage: Stage, user: str, name: str, runs: int) -> _Lives:
    """Have runs live one after another."""
    seen, cpu = stage.emulator.last_seq(), cpu_seconds(stage.operator.pid)
    began = time.monotonic()
    for number in range(runs):
        stage.create(manifests.run(f"{name}-{number}", of="quiet"))
        ended = stage.until_ended(f"{name}-{number}")
        if phase(ended) != "Succeeded":
            raise click.ClickException(f"a run has not succeeded: {ended['status']}")
    seconds = time.monotonic() - began
    polls = stage.emulator.journal("ListJobRuns", principal=user, since=seen, limit=10_000)
    return _Lives(seconds, len(polls), cpu_seconds(stage.operator.pid) - cpu)


def _figures(lives: _Lives, alone: _Lives) -> Figures:
    return Figures(
        seconds=lives.seconds,
        seconds_by_alone=lives.seconds / alone.seconds,
        polls_by_alone=lives.polls / alone.polls,
        operator_cpu_seconds=lives.cpu,
    )


if __name__ == "__main__":
    main()
