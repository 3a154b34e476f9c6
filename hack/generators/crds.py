"""The CustomResourceDefinitions, for `kubectl apply` and for the chart."""

from __future__ import annotations

from pathlib import PurePosixPath

from generators.document import render
from generators.files import CHART, File, notice
from ocijobs.api.crd import custom_resource_definitions


def files() -> tuple[File, ...]:
    """Return one file a kind, twice: in `crds/`, and where the chart's template reads it."""
    folders = (PurePosixPath("crds"), CHART / "files" / "crds")
    return tuple(
        File(path=folder / f"{group}_{plural}.yaml", text=text)
        for group, plural, text in _definitions()
        for folder in folders
    )


def _definitions() -> tuple[tuple[str, str, str], ...]:
    header = f"# {notice('operator/ocijobs/api')}\n---\n"
    return tuple(
        (
            document["spec"]["group"],
            document["spec"]["names"]["plural"],
            header + render(document),
        )
        for document in custom_resource_definitions()
    )
