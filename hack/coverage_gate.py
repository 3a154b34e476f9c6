"""Branch coverage of the operator's layers: `python hack/coverage_gate.py`, after `coverage combine`.

Fails where a layer is below its bound, and where the exclusions in the code are not those that
`hack/coverage_exclusions.txt` lists: one that comes or goes is seen in review.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
import coverage

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("operator/ocijobs")
EXCLUSIONS = Path("hack/coverage_exclusions.txt")

BOUNDS: Mapping[str, float] = {
    "api": 100,
    "backends": 100,
    "cron": 100,
    "reconcile": 100,
    "cloud": 95,
    "kube": 95,
    "controller": 95,
}
"""Least branch coverage of each layer, in percent."""

_PRAGMA = re.compile(r"#\s*pragma: no cover\b(?P<reason>.*)$")


def exclusions(root: Path) -> tuple[str, ...]:
    """Return what the code excludes, a line each: `path: statement  # reason`."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if (match := _PRAGMA.search(line)) is not None:
                statement = line[: match.start()].strip()
                reason = match["reason"].removeprefix(" - ").strip() or "NO REASON"
                found.append(f"{path.relative_to(root)}: {statement}  # {reason}")
    return tuple(found)


def strangers(found: Iterable[str], listed: Iterable[str]) -> tuple[str, ...]:
    """Return how the exclusions in the code differ from the list, a line each."""
    found, listed = sorted(found), sorted(listed)
    new = (f"not listed: {line}" for line in found if line not in listed)
    gone = (f"listed, and not in the code: {line}" for line in listed if line not in found)
    number = f"{len(found)} in the code, {len(listed)} listed"
    same = set(found) == set(listed)
    return (*new, *gone, *((number,) if same and len(found) != len(listed) else ()))


def measured(layer: str) -> tuple[float, str]:
    """Return the branch coverage of a layer in percent, and the files that lack some."""
    read = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"))
    read.load()
    text = io.StringIO()
    percent = read.report(include=[f"{PACKAGE}/{layer}/*"], file=text)
    return percent, text.getvalue()


@click.command()
def main() -> None:
    """Fail if a layer is covered less than its bound, or something new is excluded."""
    lines = (ROOT / EXCLUSIONS).read_text(encoding="utf-8").splitlines()
    problems = list(
        strangers(exclusions(ROOT), (line for line in lines if not line.startswith("#")))
    )
    for layer, bound in BOUNDS.items():
        percent, missing = measured(layer)
        click.echo(f"{layer}: {percent:.2f} % of lines and branches (bound: {bound:.0f} %)")
        if percent < bound:
            problems.append(
                f"{layer} is covered to {percent:.2f} %, less than {bound:.0f} %:\n{missing}"
            )
    if problems:
        raise click.ClickException("\n".join(problems))


if __name__ == "__main__":
    main()
