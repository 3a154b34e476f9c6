"""Mutants: what is changed, which are tried, and by which tests."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from mutants.covering import CoveringTests
from mutants.equivalents import Equivalents
from mutants.mutant import Mutant, choose, in_lines, lines_of, mutants_of
from mutants.operators import changes_of
from mutants.trial import Outcome, try_mutant

OPERATOR = Path(__file__).parents[3] / "operator/ocijobs"


def mutated(source: str) -> set[str]:
    """Return the texts of all mutants of a source."""
    return {change.apply(source) for change in changes_of(source)}


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = a < b == c", {"x = a <= b == c", "x = a < b != c"}),
        ("x = a and b and c", {"x = a or b and c", "x = a and b or c"}),
        ("x = not (a)", {"x = (a)"}),
        ("x = a + b", {"x = a - b"}),
        ("x = a + 'b'", set()),
        ("x = 1", {"x = 2"}),
        ("x = True", {"x = False"}),
        ("x = 'text'", set()),
        ("x: int | None = y", set()),
        ("x = max(a)", {"x = min(a)"}),
        ("x = [a for a in b if a]", {"x = [a for a in b if True]"}),
        ("x = f'é {a + 1}'", set()),
        ("x = 'é' if a else b", {"x = 'é' if False else b"}),
        ("raise AssertionError", set()),
        ("raise ValueError(a)", {"pass"}),
        ("a.b()", {"pass"}),
        ("x += y", {"pass"}),
        ('"""Docstring 1."""', set()),
    ],
)
def test_a_mutant_differs_in_one_place(source: str, mutants: set[str]) -> None:
    assert mutated(source) == mutants


def test_a_function_is_changed_inside_and_its_signature_is_not() -> None:
    source = dedent(
        """
        @decorated(1)
        def f(a: int | None = 0) -> bool | None:
            for one in a:
                continue
            return one
        """
    )
    lines = {
        change.apply(source).splitlines()[change.line - 1].strip() for change in changes_of(source)
    }
    assert lines == {"def f(a: int | None = 1) -> bool | None:", "break", "return None"}
    scopes = {(change.line, change.scope, change.in_function) for change in changes_of(source)}
    assert scopes == {(3, "", False), (5, "f", True), (6, "f", True)}


@pytest.mark.parametrize("path", ["reconcile/text.py", "cron/times.py", "backends/records.py"])
def test_every_mutant_of_the_core_is_python_and_another_program(path: str) -> None:
    source = (OPERATOR / path).read_text(encoding="utf-8")
    original = ast.dump(ast.parse(source))
    for change in changes_of(source):
        assert ast.dump(ast.parse(change.apply(source))) != original


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one module and two tests, of which one notices nothing."""
    package = tmp_path / "operator" / "mutated"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "bounds.py").write_text(
        dedent(
            """
            def bounded(n: int) -> bool:
                return n < 3

            def endless(n: int) -> int:
                while n > 0:
                    n -= 1
                return n
            """
        ),
        encoding="utf-8",
    )
    (tmp_path / "test_bounds.py").write_text(
        dedent(
            """
            from mutated.bounds import bounded, endless

            def test_weak(): assert bounded(1)
            def test_strong(): assert not bounded(3)
            def test_end(): assert endless(3) == 0
            """
        ),
        encoding="utf-8",
    )
    return tmp_path


def one(root: Path, after: str) -> Mutant:
    """Return the mutant of the repository that has that line."""
    return next(m for m in mutants_of(root, ["operator"]) if m.key.endswith(f"-> {after}"))


def test_a_mutant_lives_until_a_test_notices_it(repository: Path) -> None:
    mutant = one(repository, "return n <= 3")
    assert try_mutant(repository, mutant, [], 0).outcome is Outcome.UNCOVERED
    weak = try_mutant(repository, mutant, ["test_bounds.py::test_weak"], 1)
    assert weak.outcome is Outcome.SURVIVED
    assert "-    return n < 3\n+    return n <= 3" in mutant.diff
    both = ["test_bounds.py::test_weak", "test_bounds.py::test_strong"]
    assert try_mutant(repository, mutant, both, 1).outcome is Outcome.KILLED
    with pytest.raises(RuntimeError, match="test_missing"):
        try_mutant(repository, mutant, ["test_bounds.py::test_missing"], 1)


def test_a_mutant_that_never_ends_runs_out_of_cpu(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutants.trial._START_SECONDS", 3)
    trial = try_mutant(repository, one(repository, "pass"), ["test_bounds.py::test_end"], 0)
    assert trial.outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize("sample", [0, 3, 7, 20])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_sample_is_the_same_for_the_same_seed(sample: int, seed: int) -> None:
    source = "x = [1, 2, 3, 4, 5, 6, 7]"
    every = [Mutant("a.py", source, change) for change in changes_of(source)]
    chosen = choose(every, sample=sample, seed=seed)
    assert chosen == choose(every, sample=sample, seed=seed)
    assert len(set(chosen)) == len(chosen) == min(sample, 7)
    assert list(chosen) == [mutant for mutant in every if mutant in chosen]


def test_changed_lines_are_those_that_a_diff_adds() -> None:
    diff = (
        "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1 @@\n+a\n@@ -9,0 +8,2 @@\n+b\n+c\n@@ -20 +20,0 @@\n-d\n"
    )
    assert lines_of(diff) == {"x.py": {1, 8, 9}}
    source = "a = 1\nb = 2"
    mutants = [Mutant("x.py", source, change) for change in changes_of(source)]
    assert [m.change.line for m in in_lines(mutants, lines_of(diff))] == [1]
    assert in_lines(mutants, {"y.py": {1}}) == ()


def test_the_tests_of_a_line_come_quickest_first() -> None:
    tests = CoveringTests(
        {"x.py": {1: ["slow", "quick"], 2: [], 3: ["other"]}}, {"slow": 2, "quick": 1}
    )
    assert tests.of("x.py", 1, 1, in_function=True) == ("quick", "slow")
    assert tests.of("x.py", 2, 2, in_function=True) == ()
    assert tests.of("x.py", 2, 2, in_function=False) == ("other", "quick", "slow")
    assert tests.of("y.py", 1, 1, in_function=True) == ()
    assert tests.seconds(["quick", "slow", "other"]) == 3


def test_an_equivalent_mutant_has_a_reason(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.txt"
    listed.write_text("# comment\n\nx.py::f: a -> b  # both are the same\n", encoding="utf-8")
    assert "x.py::f: a -> b" in Equivalents.read(listed)
    assert "x.py::g: a -> b" not in Equivalents.read(listed)
    listed.write_text("x.py::f: a -> b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no reason is given for x\.py::f"):
        Equivalents.read(listed)
