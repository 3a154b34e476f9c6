"""A mutant of the repository: which file is changed, and how; and which are chosen to be tried."""

from __future__ import annotations

import difflib
import random
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.operators import Change, changes_of

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one file, by its path from the root of the repository."""

    path: str
    source: str
    change: Change

    @property
    def text(self) -> str:
        """The file with the change in it."""
        return self.change.apply(self.source)

    @property
    def key(self) -> str:
        """What names the mutant while the code around it changes: where it is, the line before, and after."""
        before, after = (
            " ".join(line.strip() for line in text.splitlines()[first : last or None])
            for text, first, last in self._sides()
        )
        return f"{self.path}::{self.change.scope}: {before} -> {after}"

    def _sides(self) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
        first = self.change.line - 1
        after = self.change.last_line + len(self.text.splitlines()) - len(self.source.splitlines())
        return (self.source, first, self.change.last_line), (self.text, first, after)

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        lines = difflib.unified_diff(
            self.source.splitlines(),
            self.text.splitlines(),
            self.path,
            f"{self.path} ({self.change.what})",
            n=2,
            lineterm="",
        )
        return "\n".join(lines)


def mutants_of(root: Path, directories: Iterable[str]) -> tuple[Mutant, ...]:
    """Return every mutant of the Python files in the directories."""
    paths = sorted(path for name in directories for path in (root / name).rglob("*.py"))
    found = []
    for path in paths:
        source = path.read_text(encoding="utf-8")
        name = str(path.relative_to(root))
        found += [Mutant(name, source, change) for change in changes_of(source)]
    return tuple(found)


def choose(mutants: Sequence[Mutant], *, sample: int, seed: int) -> tuple[Mutant, ...]:
    """Return a sample that the seed determines, in the order of the code."""
    number = min(sample, len(mutants))
    chosen = random.Random(seed).sample(range(len(mutants)), number)  # noqa: S311 - a sample
    return tuple(mutants[index] for index in sorted(chosen))


def in_lines(mutants: Iterable[Mutant], lines: Mapping[str, Collection[int]]) -> tuple[Mutant, ...]:
    """Return the mutants that change any of the lines."""
    return tuple(
        mutant
        for mutant in mutants
        if set(range(mutant.change.line, mutant.change.last_line + 1))
        & set(lines.get(mutant.path, ()))
    )


def changed_lines(root: Path, base: str) -> dict[str, set[int]]:
    """Return the lines that are new or other than in the commit from which this branch left `base`."""
    fork = _git(root, "merge-base", base, "HEAD").strip()
    return lines_of(_git(root, "diff", "--unified=0", "--no-ext-diff", fork, "--", "*.py"))


def lines_of(diff: str) -> dict[str, set[int]]:
    """Return the lines that a unified diff without context adds, by file."""
    lines: dict[str, set[int]] = {}
    path = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif (match := _HUNK.match(line)) is not None:
            first, count = int(match[1]), int(match[2] or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    return lines


def _git(root: Path, *arguments: str) -> str:
    command = ("git", "-C", str(root), *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
