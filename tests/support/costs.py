"""A pytest plugin: what each test cost, kept with the run.

For each test: the seconds of its phases, and the CPU of pytest's process and of all that the test started, such as an
operator or a local OCI. The control plane is shared by all tests and belongs to none, so it is left out.

`--costs FILE` writes it as JSON, the dearest test first. `--cpu-budget SECONDS` compares the sum with a budget and says
so; it fails nothing, as a second of CPU is not the same work on every machine.
"""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_CPU = "cpu_seconds"
_SHOWN = 10
# As /proc has them, cut to 15 letters.
_CONTROL_PLANE = {"etcd", "kube-apiserver", "kube-controller", "kueue"}
# utime, stime, cutime and cstime in /proc/<pid>/stat, counted from the field after the name. The last two are of
# children that have ended and were waited for.
_TIMES = slice(11, 15)


@dataclass(slots=True)
class Cost:
    """What one test cost.

    Attributes:
        cpu: seconds of CPU, of pytest's process and of those below it.
        wall: seconds of each phase: setup, call, teardown.
    """

    cpu: float = 0.0
    wall: dict[str, float] = field(default_factory=dict)


class Costs:
    """Collects what the tests of a run cost, on the side of pytest that hears of all of them."""

    def __init__(self, file: Path | None, budget: float | None) -> None:
        self._file, self._budget = file, budget
        self._tests: dict[str, Cost] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a phase cost."""
        cost = self._tests.setdefault(report.nodeid, Cost())
        cost.wall[report.when] = report.duration
        cost.cpu += sum(float(str(value)) for name, value in report.user_properties if name == _CPU)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say the sum, and what was dearest."""
        if not self._tests:
            return
        dearest = sorted(self._tests.items(), key=lambda item: -item[1].cpu)
        total = sum(cost.cpu for cost in self._tests.values())
        terminalreporter.section("CPU of the tests and of what they started")
        for name, cost in dearest[:_SHOWN]:
            terminalreporter.line(f"{cost.cpu:8.1f} s  {name}")
        terminalreporter.line(f"{total:8.1f} s  all {len(dearest)}{self._judged(total)}")
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            kept = {name: asdict(cost) for name, cost in dearest}
            self._file.write_text(json.dumps({"cpu": total, "tests": kept}, indent=1))
            terminalreporter.line(f"Each test: {self._file}")

    def _judged(self, total: float) -> str:
        if self._budget is None:
            return ""
        over = total - self._budget
        said = f"{over:.0f} s over" if over > 0 else "within"
        return f": {said} the budget of {self._budget:.0f} s"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --costs and --cpu-budget."""
    group = parser.getgroup("costs")
    group.addoption("--costs", type=Path, metavar="FILE", help="Write what each test cost.")
    group.addoption(
        "--cpu-budget", type=float, metavar="SECONDS", help="What all tests together should cost."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Measure in the processes that run tests, collect in the one that hears of all."""
    config.pluginmanager.register(Meter(), "meter-of-tests")
    if not hasattr(config, "workerinput"):
        costs = Costs(config.getoption("--costs"), config.getoption("--cpu-budget"))
        config.pluginmanager.register(costs, "costs-of-tests")


class Meter:
    """Measures the phases of the tests that one process runs, one after another."""

    def __init__(self) -> None:
        self._last = 0.0

    def pytest_collection_finish(self) -> None:
        """Begin: what came before was for no test."""
        self._last = cpu_of_tree(os.getpid())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell with each phase how much CPU was used since the last one ended."""
        report = yield
        now = cpu_of_tree(os.getpid())
        report.user_properties = [*report.user_properties, (_CPU, now - self._last)]
        self._last = now
        return report


def cpu_of_tree(pid: int) -> float:
    """Return the seconds of CPU of a process and of those below it, the ended ones included, without control planes."""
    return sum(_ticks(each) for each in _tree(pid)) / _TICKS_PER_SECOND


def _tree(pid: int) -> Iterator[int]:
    yield pid
    # A process or a thread may end while it is looked at.
    with suppress(FileNotFoundError, ProcessLookupError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):
                for child in children.read_text().split():
                    yield from _tree(int(child))


def _ticks(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        name, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        if name.partition("(")[2] not in _CONTROL_PLANE:
            return sum(map(int, fields.split()[_TIMES]))
    return 0
