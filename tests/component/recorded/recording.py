"""Keeps what the operator writes: one record of each kind, backend, phase and reason."""

from __future__ import annotations

import fcntl
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import oci
import yaml
from tests.support.namespace import Document, condition
from tests.support.recorded import OCI, phase_of
from tests.support.stage import Stage

from ocijobs.api.crd import KINDS
from ocijobs.api.shared.names import API_VERSION, LABEL_CREDENTIALS_COPY, LABEL_ORPHAN, TAG_OWNER

Request = Callable[..., Awaitable[Document]]

_NOISE = ("managedFields", "resourceVersion", "deletionGracePeriodSeconds")
_OURS = frozenset(kind.name for kind in KINDS)
_LEAVING = frozenset({"Deleting", "WaitingForRuns", "InUse"})
"""Reasons of objects that are being deleted."""


class Recording:
    """What the operator of one scenario writes.

    It takes the API server's answers to the operator's writes, which have the object as it is stored.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._latest: dict[tuple[str, str], Document] = {}
        self._kept: dict[str, list[Document]] = {}

    def observing(self, request: Request) -> Request:
        """Return a method of KubeClient that does the same and has the answers to writes recorded."""

        @functools.wraps(request)
        async def observed(client: Any, verb: str, path: str, **options: Any) -> Document:
            answer = await request(client, verb, path, **options)
            if verb in {"POST", "PUT", "PATCH"}:
                self._take(answer)
            return answer

        return observed

    def keep(self, kind: str, name: str, what: str) -> None:
        """Record an object as it is now, under words that say what it has."""
        document = self._stage.get(kind, name)
        self._latest[kind, name] = document
        self._record("-".join([_stem(document), what]), document)

    def _take(self, document: Document) -> None:
        kind, meta = document.get("kind", ""), document.get("metadata", {})
        labels = meta.get("labels", {})
        if kind in _OURS and document.get("apiVersion") == API_VERSION:
            self._latest[kind, meta["name"]] = document
            reason = condition(document, "Ready")["reason"]
            if "conditions" in document.get("status", {}) and (
                "deletionTimestamp" not in meta or reason in _LEAVING
            ):
                self._record(_name(document), document)
        elif LABEL_ORPHAN in labels:
            self._kept["configmap-orphan"] = [_without_noise(document)]
        elif LABEL_CREDENTIALS_COPY in labels:
            self._kept["secret-credentials-copy"] = [_without_noise(document)]

    def _record(self, name: str, document: Document) -> None:
        self._kept[name] = [
            _without_noise(each) for each in (document, *_around(document, self._latest))
        ]

    def write(self, folder: Path) -> None:
        """Write what no other scenario has written, and the owner tags of what is in OCI."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, documents in self._kept.items():
            path = folder / f"{name}.yaml"
            if not path.exists():
                path.write_text(yaml.safe_dump_all(documents, width=120, allow_unicode=True))
        with (folder / OCI).open("a+") as file:
            # Another scenario may be at its end, too.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            owners = {**(yaml.safe_load(file) or {}), **_owners(self._stage)}
            file.truncate(0)
            yaml.safe_dump(owners, file, width=1000)


def _name(document: Document) -> str:
    """Return the file of an object: kind, backend, phase, and the reason where it says more than the phase."""
    stem, reason = _stem(document), condition(document, "Ready")["reason"].lower()
    return stem if stem.endswith(f"-{reason}") else f"{stem}-{reason}"


def _stem(document: Document) -> str:
    spec, status = document["spec"], document.get("status", {})
    backend = status.get("backend", "")
    if not backend and "infrastructure" in spec and document["kind"] == "OCIJob":
        backend = "DataFlow" if "dataFlow" in spec["infrastructure"] else "DataScience"
    parts = (document["kind"], backend, phase_of(document))
    return "-".join(part.lower() for part in parts if part)


def _around(document: Document, latest: Mapping[tuple[str, str], Document]) -> Iterable[Document]:
    """Return what an object refers to or belongs to, and what belongs to it."""
    meta, spec, kind = document["metadata"], document["spec"], document["kind"]
    own = (kind, meta["name"])
    wanted = {("OCIIdentity", "default")}
    if kind in {"OCIJobRun", "OCIJobSweep"}:
        wanted.add(("OCIJob", spec.get("jobRef", meta)["name"]))
    wanted |= {(o["kind"], o["name"]) for o in meta.get("ownerReferences", ())}
    for key, other in latest.items():
        owners = other["metadata"].get("ownerReferences", ())
        is_of = any(owner["uid"] == meta["uid"] for owner in owners)
        runs_it = kind == "OCIJob" and other["spec"].get("jobRef", {}).get("name") == meta["name"]
        if is_of or runs_it:
            wanted.add(key)
    return [latest[key] for key in sorted(wanted - {own}) if key in latest]


def _without_noise(document: Document) -> Document:
    """Return an object without what tells of requests alone."""
    meta = {k: v for k, v in document["metadata"].items() if k not in _NOISE}
    return {**document, "metadata": meta}


def _owners(stage: Stage) -> dict[str, str]:
    """Return the owner tags of all jobs and runs that are in OCI, by OCID."""
    science, flow = stage.oci_client(oci.data_science.DataScienceClient), stage.flow()
    return {
        each.id: each.freeform_tags[TAG_OWNER]
        for call in (
            science.list_jobs,
            science.list_job_runs,
            flow.list_applications,
            flow.list_runs,
        )
        for each in oci.pagination.list_call_get_all_results(call, stage.emulator.tenancy).data
        if TAG_OWNER in (each.freeform_tags or {})
    }
