"""Which tests run a line, quickest first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import coverage


class CoveringTests:
    """Tests by the line of a file that they run, as one recorded run of the suite has it.

    Args:
        lines: file -> line -> tests.
        seconds: how long each test took.
    """

    def __init__(
        self, lines: Mapping[str, Mapping[int, Iterable[str]]], seconds: Mapping[str, float]
    ) -> None:
        self._lines = {path: {n: set(t) for n, t in by.items()} for path, by in lines.items()}
        self._seconds = seconds

    @classmethod
    def read(cls, data_file: Path, times_file: Path, root: Path) -> CoveringTests:
        """Read what was recorded; files are named relative to `root`."""
        data = coverage.CoverageData(str(data_file))
        data.read()
        lines = {
            str((root / path).relative_to(root)): {
                number: [test for test in tests if test]
                for number, tests in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
            if (root / path).is_relative_to(root)
        }
        return cls(lines, json.loads(times_file.read_text(encoding="utf-8")))

    def of(self, path: str, first: int, last: int, *, in_function: bool) -> tuple[str, ...]:
        """Return the tests that run any of the lines, quickest first.

        What runs when a module is imported is run by no test: all tests that run anything of the module count.
        """
        by_line = self._lines.get(path, {})
        wanted = range(first, last + 1) if in_function else by_line
        tests = set().union(*(by_line.get(number, set()) for number in wanted))
        return tuple(sorted(tests, key=lambda test: (self._seconds.get(test, 0.0), test)))

    def seconds(self, tests: Iterable[str]) -> float:
        """Return how long the tests took together."""
        return sum(self._seconds.get(test, 0.0) for test in tests)
