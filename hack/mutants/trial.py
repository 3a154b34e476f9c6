"""Trying a mutant: the tests that run its line are run against a copy of the operator that has it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mutants.mutant import Mutant

SOURCE_ROOT = "operator"
_START_SECONDS = 60
"""CPU seconds that pytest may take before the first test, on a slow machine."""

_PATIENCE = 5
"""How many times as long as recorded the tests may take: a mutant may loop for ever."""

_FAILED, _INTERRUPTED = 1, 2
_OPTIONS = (
    "-x",
    "-q",
    "--no-header",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:schemathesis",
)


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    UNCOVERED = "no test runs it"


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, the tests that run its line, and what became of it."""

    mutant: Mutant
    tests: tuple[str, ...]
    outcome: Outcome
    output: str = ""


def try_mutant(root: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> Trial:
    """Run the tests against the mutant; `seconds` is how long they take without it.

    Raises:
        RuntimeError: if pytest could not run the tests.
    """
    if not tests:
        return Trial(mutant, (), Outcome.UNCOVERED)
    with tempfile.TemporaryDirectory(prefix="mutant-") as directory:
        copy = Path(directory) / SOURCE_ROOT
        shutil.copytree(
            root / SOURCE_ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
        (Path(directory) / mutant.path).write_text(mutant.text, encoding="utf-8")
        names = Path(directory) / "tests"
        names.write_text("\n".join(tests), encoding="utf-8")
        done = _pytest(root, copy, names, cpu_seconds=int(_START_SECONDS + _PATIENCE * seconds))
    return Trial(mutant, tuple(tests), _outcome(done), done.stdout + done.stderr)


def _outcome(done: subprocess.CompletedProcess[str]) -> Outcome:
    if done.returncode == 0:
        return Outcome.SURVIVED
    if done.returncode < 0:
        return Outcome.TIMED_OUT
    if done.returncode in {
        _FAILED,
        _INTERRUPTED,
    }:  # A mutant that can't be imported interrupts pytest.
        return Outcome.KILLED
    raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _pytest(
    root: Path, copy: Path, names: Path, *, cpu_seconds: int
) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))

    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", *_OPTIONS, f"@{names}"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "brief"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )
