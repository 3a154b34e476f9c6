"""Mutants of the operator's core: `python hack/mutate.py [--sample 60] [--seed N] [--changed main]`.

First the tests are run once under coverage, to know which of them run which line; while no source has changed since,
that is not done again (`--recorded DIR` uses what such a run has left, whatever has changed). Then each chosen mutant
is tried by the tests that run its line, quickest first, until one fails. Those that survive are listed with the tests
that did not notice; exit 1 if there are any. What no test can notice is listed in `hack/mutants/equivalent.txt`, with
the reason.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from mutants.covering import CoveringTests
from mutants.equivalents import Equivalents
from mutants.mutant import Mutant, changed_lines, choose, in_lines, mutants_of
from mutants.trial import Outcome, Trial, try_mutant

ROOT = Path(__file__).resolve().parent.parent
MUTATED = tuple(
    f"operator/ocijobs/{package}" for package in ("backends", "reconcile", "cron", "cloud")
)
TESTS = (
    *("tests/unit/reconcile", "tests/unit/cron", "tests/unit/cloud"),
    *("tests/unit/api", "tests/unit/artifact"),
)
RECORDED = Path(".mutants")
SHOWN_TESTS = 10


def record(directory: Path) -> None:
    """Run the tests under coverage, and keep which lines each runs and how long it takes."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = str(directory / "lines")
    command = (
        *(sys.executable, "-m", "coverage", "run", "--rcfile", "pyproject.toml"),
        *("--data-file", lines, "-m", "pytest", "-q", "-p", "mutants.recording"),
        *("--test-times", str(directory / "times.json"), "-p", "no:xdist", *TESTS),
    )
    environment = os.environ | {"HYPOTHESIS_PROFILE": "brief", "PYTHONPATH": str(ROOT / "hack")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603
    combine = (sys.executable, "-m", "coverage", "combine", "--data-file", lines, str(directory))
    subprocess.run(combine, cwd=ROOT, check=True)  # noqa: S603


def is_fresh(directory: Path) -> bool:
    """Whether what is recorded there is newer than every source and every test."""
    times = directory / "times.json"
    if not times.exists():
        return False
    recorded = times.stat().st_mtime
    paths = (path for name in ("operator", "tests") for path in (ROOT / name).rglob("*.py"))
    return all(path.stat().st_mtime < recorded for path in paths)


def chosen(sample: int, seed: int, base: str | None) -> tuple[Mutant, ...]:
    """Return a sample of all mutants, and every mutant of a line that is other than in `base`."""
    every = mutants_of(ROOT, MUTATED)
    changed = in_lines(every, changed_lines(ROOT, base)) if base is not None else ()
    others = [mutant for mutant in every if mutant not in changed]
    return (*changed, *choose(others, sample=sample, seed=seed))


def report(trials: list[Trial], known: Equivalents) -> int:
    """Print what became of the mutants; return how many survive that are not known to be equivalent."""
    survivors = [t for t in trials if t.outcome in {Outcome.SURVIVED, Outcome.UNCOVERED}]
    news = [trial for trial in survivors if trial.mutant.key not in known]
    for trial in news:
        click.echo(f"\n{trial.outcome}: {trial.mutant.key}\n{trial.mutant.diff}")
        for test in trial.tests[:SHOWN_TESTS]:
            click.echo(f"  not noticed by {test}")
        if len(trial.tests) > SHOWN_TESTS:
            click.echo(f"  nor by {len(trial.tests) - SHOWN_TESTS} more")
    counts = Counter(trial.outcome.value for trial in trials)
    told = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    equivalent = len(survivors) - len(news)
    click.echo(f"\n{len(trials)} mutants: {told}; of those that live, {equivalent} are equivalent")
    return len(news)


@click.command()
@click.option("--sample", default=60, show_default=True, help="How many mutants, by chance.")
@click.option("--seed", default=0, show_default=True, help="What the chance begins with.")
@click.option("--changed", "base", help="Besides, all mutants of lines changed since this commit.")
@click.option("--workers", default=2, show_default=True, help="Mutants tried at the same time.")
@click.option(
    "--recorded",
    type=click.Path(path_type=Path, file_okay=False),
    help="Use what a former run has recorded here.",
)
def main(*, sample: int, seed: int, base: str | None, workers: int, recorded: Path | None) -> None:
    """Try mutants of the core, and list those that no test notices."""
    directory = recorded or RECORDED
    if recorded is None and not is_fresh(directory):
        record(directory)
    tests = CoveringTests.read(directory / "lines", directory / "times.json", ROOT)
    known = Equivalents.read(ROOT / "hack/mutants/equivalent.txt")

    def attempt(mutant: Mutant) -> Trial:
        change = mutant.change
        running = tests.of(
            mutant.path, change.line, change.last_line, in_function=change.in_function
        )
        trial = try_mutant(ROOT, mutant, running, tests.seconds(running))
        click.echo(f"{trial.outcome}: {mutant.key}")
        return trial

    with ThreadPoolExecutor(workers) as pool:
        trials = list(pool.map(attempt, chosen(sample, seed, base)))
    if report(trials, known):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
