"""What the pages for people show as manifests is taken by the API server, field for field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.namespace import Document, Namespace

from kubecontrolplane.cluster import Cluster
from ocijobs.api.shared.names import GROUP

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    {
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("helm/*/README.md"),
    }
)
FILES = sorted(ROOT.glob("examples/**/*.yaml"))

_BLOCK = re.compile(r"^( *)```ya?ml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\$\{.*?\}")
"""What Argo Workflows and Katib replace."""


def manifests_of(text: str) -> Iterator[Document]:
    """Yield every manifest of ours in YAML: whole documents, and those inside of others' objects."""
    for document in yaml.safe_load_all(text):
        yield from _ours(document)


def manifests_on(page: str) -> Iterator[Document]:
    """Yield every complete manifest of ours that a page shows."""
    for _, block in _BLOCK.findall(page):
        if f"apiVersion: {GROUP}/" in block:
            yield from manifests_of(block)


def _ours(value: Any) -> Iterator[Document]:
    match value:
        case {"apiVersion": str(version), "kind": str()} if version.startswith(f"{GROUP}/"):
            yield value
        case dict():
            for each in value.values():
                yield from _ours(each)
        case list():
            for each in value:
                yield from _ours(each)
        case str() if f"apiVersion: {GROUP}/" in value:
            yield from manifests_of(value)
        case _:
            pass


SHOWN: dict[str, Document] = {
    f"{path.relative_to(ROOT)}-{manifest['kind']}-{number}": manifest
    for paths, read in ((PAGES, manifests_on), (FILES, manifests_of))
    for path in paths
    for number, manifest in enumerate(read(path.read_text()))
}


def test_manifests_are_found_also_inside_of_others() -> None:
    page = """
    ```yaml
    kind: Workflow
    spec:
      manifest: |
        apiVersion: ocijobs.io/v1alpha1
        kind: OCIJobRun
    ```
    """
    assert list(manifests_on(page)) == [{"apiVersion": "ocijobs.io/v1alpha1", "kind": "OCIJobRun"}]
    assert {manifest["kind"] for manifest in SHOWN.values()} >= {
        "OCIJob",
        "OCIJobRun",
        "OCIJobSweep",
        "OCIJobSchedule",
        "OCIIdentity",
    }


@pytest.mark.parametrize("shown", SHOWN)
def test_the_api_server_takes_it(definitions: Cluster, namespace: str, shown: str) -> None:
    text = _PLACEHOLDER.sub("placeholder", yaml.safe_dump(SHOWN[shown]))
    document = yaml.safe_load(text)
    if "name" not in document.setdefault("metadata", {}):
        document["metadata"]["generateName"] = "shown-"
    kubectl = Namespace(definitions, namespace).kubectl
    options = ("--dry-run=server", "--validate=strict")
    assert kubectl("create", *options, "-f", "-", stdin=yaml.safe_dump(document))
