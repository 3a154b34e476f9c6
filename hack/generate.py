"""Write, or check, every file that is generated: `python hack/generate.py [--check]`.

Each has one source, in the operator's package or in `hack/generators/`, and none is edited by hand:

- `crds/`, and their copies in the chart, from the models of `ocijobs.api`
- the chart's roles, its values, their schema and their table
- `docs/reference/`, and the table of what a run waits for in `docs/runs.md`
- the types of changes of a status, from the same models
"""

from __future__ import annotations

from pathlib import Path

import click

from generators import crds, roles, status_changes, values
from generators.files import OWNED, File, outdated, write
from generators.pages import (
    api,
    conditions,
    coverage,
    gates,
    metrics,
    permissions,
    reasons,
    settings,
)

ROOT = Path(__file__).resolve().parent.parent


def generated(root: Path) -> tuple[File, ...]:
    """Return every generated file of the repository in `root`."""
    return (
        *crds.files(),
        *roles.files(),
        *values.files(root),
        *api.files(),
        *conditions.files(),
        *coverage.files(),
        *gates.files(root),
        *metrics.files(),
        *permissions.files(),
        *reasons.files(),
        *settings.files(),
        *status_changes.files(),
    )


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if a file would change.")
def main(*, check: bool) -> None:
    """Write the generated files: definitions, the chart's roles and values, the reference."""
    files = generated(ROOT)
    changes = outdated(ROOT, files)
    if not check:
        write(ROOT, files)
        for change in changes:
            click.echo(change)
        return
    if changes:
        listed = "\n  ".join(changes)
        raise click.ClickException(
            f"generated files are not what their sources say; run `make generate`:\n  {listed}"
        )
    click.echo(f"{len(files)} generated files in {len(OWNED)} places are what their sources say")


if __name__ == "__main__":
    main()
