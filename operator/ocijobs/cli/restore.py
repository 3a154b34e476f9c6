"""Objects of a backup, as manifests that adopt what they have in OCI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ocijobs.api import kinds
from ocijobs.api.shared.names import GROUP
from ocijobs.cli.manifests import Document, without_server_fields

_ORDER = {"Secret": 0, "ConfigMap": 0, kinds.IDENTITY: 1, kinds.JOB: 2, kinds.RUN: 3}


def restored(documents: Iterable[Document], warnings: list[str]) -> Iterator[Document]:
    """Yield manifests in the order in which they are applied; what people must look at goes to `warnings`."""
    for document in sorted(documents, key=lambda d: _ORDER.get(str(d.get("kind")), 0)):
        ours = str(document.get("apiVersion", "")).startswith(f"{GROUP}/")
        clean = without_server_fields(document)
        if ours and document["kind"] == kinds.JOB:
            _adopt_job(document, clean)
        elif ours and document["kind"] == kinds.RUN:
            _adopt_run(document, clean, warnings)
        yield clean


def _adopt_job(document: Document, clean: Document) -> None:
    status = document.get("status") or {}
    if status.get("jobId") and "adopt" not in clean["spec"]:
        adopt = _adoption("ocid", status["jobId"], status)
        policy = clean["spec"].get("deletionPolicy", "Delete")
        # With `adopt`, the default would be Retain.
        clean["spec"] = {**clean["spec"], "adopt": adopt, "deletionPolicy": policy}


def _adopt_run(document: Document, clean: Document, warnings: list[str]) -> None:
    status, name = document.get("status") or {}, document["metadata"]["name"]
    if status.get("jobRunId"):
        if "adopt" not in clean["spec"]:
            adopt = _adoption("jobRunId", status["jobRunId"], status)
            clean["spec"] = {**clean["spec"], "adopt": adopt}
    elif status.get("submit"):
        warnings.append(
            f"OCIJobRun {name}: its launch was under way, and whether OCI took it is not known: look "
            f"for a job run with the tag ocijobs_owner={status.get('owner')}/0 of OCI job "
            f"{status['submit'].get('jobId')} and set spec.adopt.jobRunId, or let the run start if there is none"
        )


def _adoption(field: str, ocid: str, status: dict[str, Any]) -> dict[str, Any]:
    owner = {"formerOwner": status["owner"]} if status.get("owner") else {}
    return {field: ocid, **owner}
