"""What was recorded is read by the models of this version without loss, and nothing of interest has no record."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.namespace import Document
from tests.support.recorded import FOLDER, Record, records, versions

from ocijobs.api.crd import KINDS
from ocijobs.api.orphan import Orphan
from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.shared.names import (
    ANNOTATION_CREDENTIALS_VERSION,
    ANNOTATION_IDENTITY,
    ANNOTATION_IDENTITY_UID,
    LABEL_CREDENTIALS_COPY,
    LABEL_ORPHAN,
)
from ocijobs.api.shared.reasons import Reason
from ocijobs.cloud.credentials import parse_api_key

MODELS = {kind.name: kind.model for kind in KINDS}

WANTED: dict[str, set[str]] = {
    "OCIJob": {"Progressing", "Stalled", "Ready"},
    "OCIJobRun": {phase.value for phase in Phase},
    "OCIJobSweep": {phase.value for phase in SweepPhase},
    "OCIJobSchedule": {"Progressing", "Stalled", "Ready", "Idle"},
    "OCIIdentity": {"Progressing", "Stalled", "Ready"},
    "ConfigMap": {"Progressing"},
    "Secret": {"Progressing"},
}
"""Phases of each kind, or where its conditions say that it stands; what has no conditions is in progress."""

ON_EACH_BACKEND = {
    "Pending",
    "Accepted",
    "Running",
    "Succeeded",
    "Failed",
    "Cancelled",
    "Suspended",
}
"""Phases of runs of which both backends have a record; Data Flow has no NEEDS_ATTENTION."""

REASONS: dict[str, set[str]] = {
    "OCIJob": {"Creating", "Synced", "Observed", "InvalidSpec", "WaitingForSource"},
    "OCIJobRun": {
        "Submitting",
        "Searching",
        "Retrying",
        "BackoffLimitExceeded",
        "DeadlineExceeded",
    },
    "OCIJobSchedule": {"Starting", "Scheduled", "Suspended", "InvalidSpec"},
    "OCIIdentity": {"IdentityVerified", "CredentialsInvalid", "WaitingForIdentity", "InUse"},
}
"""Reasons that a record has to have beside the phases: each is another thing to go on with."""

OURS = records(*MODELS)


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("kind", WANTED)
def test_each_phase_of_each_kind_was_recorded(version: str, kind: str) -> None:
    recorded = [each for each in records(kind) if each.version == version]
    assert WANTED[kind] - {each.phase for each in recorded} == set()
    assert REASONS.get(kind, set()) - {each.reason for each in recorded} == set()


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("backend", ["datascience", "dataflow"])
def test_each_phase_was_recorded_on_each_backend(version: str, backend: str) -> None:
    found = {
        each.phase
        for each in records("OCIJobRun")
        if each.version == version and f"-{backend}-" in each.name
    }
    assert ON_EACH_BACKEND - found == set()


@pytest.mark.parametrize("record", OURS, ids=str)
def test_an_object_is_read_without_loss(record: Record) -> None:
    read: Any = MODELS[record.kind].model_validate(record.document)
    for part in ("spec", "status"):
        document = getattr(read, part).document()
        assert missing(record.document.get(part, {}), document) == [], part
        assert type(getattr(read, part)).model_validate(document).document() == document, part
    assert read.metadata.uid == record.document["metadata"]["uid"]


def missing(recorded: Any, read: Any, path: str = "") -> list[str]:
    """Return what a model has not read as it was; it may add what it takes by default."""
    if isinstance(recorded, dict) and isinstance(read, dict):
        return [
            each
            for key, value in recorded.items()
            if value not in ([], {}) or key in read
            for each in missing(value, read.get(key), f"{path}.{key}")
        ]
    if isinstance(recorded, list) and isinstance(read, list) and len(recorded) == len(read):
        pairs = enumerate(zip(recorded, read, strict=True))
        return [each for i, (one, other) in pairs for each in missing(one, other, f"{path}[{i}]")]
    return [] if recorded == read else [f"{path}: {recorded!r} is read as {read!r}"]


@pytest.mark.parametrize("record", OURS, ids=str)
def test_the_reasons_of_an_object_are_known(record: Record) -> None:
    reasons = {each["reason"] for each in record.status["conditions"]}
    assert reasons <= {reason.value for reason in Reason}


@pytest.mark.parametrize("record", records("ConfigMap"), ids=str)
def test_an_orphan_is_read(record: Record) -> None:
    assert LABEL_ORPHAN in record.document["metadata"]["labels"]
    document = json.loads(record.document["data"]["orphan.json"])
    orphan = Orphan.model_validate(document)
    assert orphan.document() == document
    assert not orphan.left.nothing


@pytest.mark.parametrize("record", records("Secret"), ids=str)
def test_a_copy_of_credentials_is_read(record: Record) -> None:
    meta: Document = record.document["metadata"]
    assert LABEL_CREDENTIALS_COPY in meta["labels"]
    wanted = {ANNOTATION_IDENTITY, ANNOTATION_IDENTITY_UID, ANNOTATION_CREDENTIALS_VERSION}
    assert wanted <= meta["annotations"].keys()
    data = {name: base64.b64decode(value) for name, value in record.document["data"].items()}
    assert parse_api_key(data, region=None, version="v").region


def test_nothing_of_the_machine_was_recorded() -> None:
    for path in FOLDER.rglob("*.yaml"):
        text = path.read_text()
        of_here = ("127.0.0.1", "localhost", tempfile.gettempdir(), str(Path.cwd()))
        assert not [one for one in of_here if one in text], path
