"""Every field of a job: a change of it is noticed, reaches OCI, is read back, and survives import and export.

The fields are found in the model, and their values are made up, so that a field that is added to the model alone fails
here. What is no matter of OCI has a reason, which must still be true.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.support.changed_fields import ITEM, Spec, leaves, value_of, with_value
from tests.unit.cloud.api_keys import secret
from tests.unit.cloud.scripted_oci import PRINCIPAL

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.spec import OCIJob, OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.backends.backend import Backend
from ocijobs.backends.data_flow.requests import ApplicationRequest
from ocijobs.backends.data_science.requests import JobRequest
from ocijobs.backends.differences import all_differences, setting_differences
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.names import NO_NAMES, KnownNames
from ocijobs.backends.registry import BACKENDS
from ocijobs.backends.requests import JobCreation
from ocijobs.backends.revision import job_request, revision_name, settings_digest
from ocijobs.cli.ads_export import exported
from ocijobs.cli.ads_import import imported
from ocijobs.cli.oci_import import manifest_of
from ocijobs.cloud.clients import Clients, Service
from ocijobs.cloud.credentials import parse_api_key
from ocijobs.cloud.data_flow_models import application_content, create_application_details
from ocijobs.cloud.data_science_models import create_job_details, job_content
from ocijobs.settings import Settings
from ocijobs.testing import LOG_GROUP, make_job_input, make_metadata, make_ocid

MACHINES, GROUPS = (
    "infrastructure.dataScienceJob.",
    "infrastructure.dataScienceJob.jobNodeGroups[].",
)
TARGET, FLOW = "infrastructure.dataScienceJob.computeTarget.", "infrastructure.dataFlow."
E4 = {
    "shapeName": "VM.Standard.E4.Flex",
    "jobShapeConfigDetails": {"ocpus": 1, "memoryInGBs": 16},
    "subnetId": make_ocid("subnet"),
}
CODE = {"inline": {"main.py": "print(1)"}}
SERVICE = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}
PUBLISHED = {"type": "published", "uri": "oci://envs@namespace/spark/1.0"}
SCRIPT = {"script": {"source": CODE}}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Jobs of one kind: the least that one says, and the places of the fields that it may have."""

    infrastructure: Spec
    runtime: Spec
    places: tuple[str, ...]
    but: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec:
        """The least that a job says."""
        return {"infrastructure": self.infrastructure, "runtime": self.runtime}

    def has(self, leaf: str) -> bool:
        """Whether a job of this kind may have a field."""
        return leaf.startswith(self.places) and not leaf.startswith(self.but)


_OF_ANY = tuple(
    name
    for name in (*OCIJobSpec.model_json_schema()["properties"],)
    if name not in {"infrastructure", "runtime"}
)


def runtime(name: str, **fields: Any) -> Kind:
    """Return jobs that start something else than a script."""
    return Kind(
        infrastructure={"dataScienceJob": E4},
        runtime={name: fields},
        places=(f"runtime.{name}.",),
    )


KINDS = {
    "one machine": Kind(
        infrastructure={"dataScienceJob": E4},
        runtime=SCRIPT,
        places=(*_OF_ANY, MACHINES, "runtime.script."),
        but=(TARGET, GROUPS, f"{MACHINES}startupOrder"),
    ),
    "compute target": Kind(
        infrastructure={"dataScienceJob": {}},
        runtime=SCRIPT,
        places=(TARGET,),
    ),
    "groups of alike nodes": Kind(
        infrastructure={"dataScienceJob": {**E4, "jobNodeGroups": [{"name": "head"}]}},
        runtime=SCRIPT,
        places=(*_OF_ANY, MACHINES),
        but=(TARGET, GROUPS),
    ),
    "groups of nodes": Kind(
        infrastructure={
            "dataScienceJob": {"jobNodeGroups": [{"name": "head", **E4, "replicas": 9}]}
        },
        runtime=SCRIPT,
        places=(GROUPS,),
    ),
    "python": runtime("python", source=CODE, conda=SERVICE),
    "notebook": runtime("notebook", source={"inline": {"main.ipynb": "{}"}}, conda=SERVICE),
    "git": runtime("git", url="https://example.com/a", entrypoint="main.py", conda=SERVICE),
    "container": runtime("container", image="iad.ocir.io/namespace/image:1"),
    "torch": runtime("pyTorchDistributed", source=CODE, conda=SERVICE, entrypoint="main.py"),
    "spark": Kind(
        infrastructure={
            "dataFlow": {
                "sparkVersion": "3.5.0",
                "driverShape": "VM.Standard.E4.Flex",
                "driverShapeConfig": {"ocpus": 1, "memoryInGBs": 16},
                "executorShape": "VM.Standard.E4.Flex",
                "executorShapeConfig": {"ocpus": 4, "memoryInGBs": 64},
                "dynamicAllocation": {"minExecutors": 1, "maxExecutors": 100},
                "artifactBucketUri": "oci://code@namespace/spark",
            }
        },
        runtime={"spark": {"source": CODE}},
        places=(*_OF_ANY, FLOW, "runtime.spark."),
        # Published environments alone, and no driver.
        but=("projectId", "outputs", "runtime.spark.conda.slug", "runtime.spark.conda.type"),
    ),
}
CASES = [
    pytest.param(kind, leaf, id=f"{name}: {leaf}")
    for name, kind in KINDS.items()
    for leaf in leaves(OCIJobSpec)
    if kind.has(leaf)
]


@dataclass(frozen=True)
class Made:
    """What comes of a spec."""

    spec: Spec
    backend: Backend
    request: JobCreation
    revision: str

    @property
    def job(self) -> OCIJob:
        """The job."""
        return job_of(self.spec)


def job_of(spec: Spec) -> OCIJob:
    return OCIJob(metadata=make_metadata("job"), spec=OCIJobSpec.model_validate(spec))


def made_of(spec: Spec) -> Made:
    """Return what is sent of a job whose code does not change, and whose names stand for other OCIDs each."""
    job = job_of(spec)
    backend = next(b for b in BACKENDS if b.is_meant_by(job.spec.infrastructure))
    defaults = IdentityDefaults(log_group_id=LOG_GROUP)
    in_bucket = Artifact(name="main.py", sha256="0" * 64, size=1, uri="oci://code@namespace/0")
    given = make_job_input(job=job, defaults=defaults)
    given = replace(
        given,
        compartment_id=job.spec.compartment_id or given.compartment_id,
        project_id=job.spec.project_id or given.project_id,
        artifact=in_bucket if backend.code_in_bucket else None,
        names=_names(backend, given),
    )
    request = job_request(backend, given, "v1-0")
    return Made(spec, backend, request, revision_name(backend, given, "sources"))


def _names(backend: Backend, given: JobInput) -> KnownNames:
    names = NO_NAMES
    for _ in range(2):
        wanted = backend.wanted_names(given.job.spec, given.defaults, names)
        names = KnownNames(
            answered={w: make_ocid(w.kind.lower(), w.name.replace("/", "-")) for w in wanted}
        )
    return names


def both(kind: Kind, leaf: str) -> tuple[Made, Made]:
    """Return two jobs that differ in one field."""
    before, after = (made_of(with_value(kind.spec, OCIJobSpec, leaf, n)) for n in (0, 1))
    return before, after


OF_NO_REVISION = {
    "identityRef.name": "who calls OCI is no part of what is made",
    "adopt.": "which OCI job is kept, not what it is",
    "results": "runs are told their names, and the operator looks for them",
    "maxActiveRuns": "the operator counts runs",
    "deletionPolicy": "what is done when the object goes",
    "driftPolicy": "what is done about differences",
    "revisionHistoryLimit": "how many OCI jobs are kept",
    "env[].valueFrom.secretKeyRef.": "it is sent with each run",
    "env[].valueFrom.configMapKeyRef.": "it is sent with each run",
    "runtime.spark.conda.region": "Data Flow has the environment as an oci:// URI, which names no region",
    **{
        f"runtime.{name}.source.": "what is read there counts, by its digest"
        for name in ("script", "python", "notebook", "container", "pyTorchDistributed", "spark")
    },
}
"""Fields that make no other job, by the beginnings of their paths."""

IN_THE_CODE = {
    **{
        f"runtime.{name}.": "the driver knows it, which is a part of the code that is uploaded"
        for name in ("script", "python", "notebook", "git", "pyTorchDistributed")
    },
    "runtime.spark.entrypoint": "it is in the address of the code",
    "outputs.": "the driver knows it, which is a part of the code that is uploaded",
    f"{FLOW}artifactBucketUri": "it is in the address of the code",
    f"{GROUPS}env[].valueFrom.secretKeyRef.": "it is sent with each run; groups count as they are written",
    f"{GROUPS}env[].valueFrom.configMapKeyRef.": "it is sent with each run; groups count as they are written",
}
"""Fields that make another revision, but that OCI's model of a job does not have.

Among those that the driver knows, conda environments are variables in OCI, and replicas are nodes.
"""

PLACES = {
    "compartmentId": "an OCI job is found where it is",
    "projectId": "an OCI job is found where it is",
}
"""Fields of a request that can't differ."""


def exempt(leaf: str, exceptions: dict[str, str]) -> bool:
    return leaf.startswith(tuple(exceptions))


def in_the_code(leaf: str) -> bool:
    return exempt(leaf, IN_THE_CODE) and not re.search(r"\.conda\.|\.replicas$", leaf)


@pytest.mark.parametrize(("kind", "leaf"), CASES)
def test_a_change_makes_another_revision_or_is_a_difference(kind: Kind, leaf: str) -> None:
    before, after = both(kind, leaf)
    revised = before.revision != after.revision
    sent = before.request != after.request
    assert revised is not exempt(leaf, OF_NO_REVISION) or sent, "nobody would notice the change"
    assert sent is not (exempt(leaf, OF_NO_REVISION) or in_the_code(leaf)), "is it sent to OCI?"
    if sent and not revised:
        backend, ours, theirs = after.backend, after.request.settings, before.request.settings
        assert setting_differences(backend, ours, theirs), "drift would not be seen"
        assert settings_digest(backend, ours) != settings_digest(backend, theirs)
    if sent and not exempt(leaf, PLACES):
        assert all_differences(after.backend, after.request, before.request)


def test_every_field_is_one_that_jobs_of_some_kind_have() -> None:
    others = {"runtime.spark.conda.slug", "runtime.spark.conda.type"}
    nobodys = {leaf for leaf in leaves(OCIJobSpec) if not any(k.has(leaf) for k in KINDS.values())}
    assert nobodys == others, "Data Flow has published environments alone"


@cache
def client(service: Service) -> Any:
    """Return the SDK's own serializer, which holds values to the types that its models tell."""
    key = parse_api_key(secret(), region=None, version="v1")
    return Clients(Settings()).get(PRINCIPAL, key, service).base_client


def told_by_oci(request: JobCreation) -> JobCreation:
    """Return what a service that keeps what it is sent tells of a job: through the SDK and JSON, both ways."""
    if isinstance(request, JobRequest):
        service, kind, details = Service.DATA_SCIENCE, "Job", create_job_details(request)
    else:
        assert isinstance(request, ApplicationRequest)
        service, kind = Service.DATA_FLOW, "Application"
        details = create_application_details(request)
    sdk = client(service)
    sent = sdk.sanitize_for_serialization(details, declared_type=type(details).__name__)
    kept = {**sent, "id": make_ocid("job"), "lifecycleState": "ACTIVE"}
    told = sdk.deserialize_response_data(json.dumps(kept).encode(), kind)
    return job_content(told) if kind == "Job" else application_content(told)


@pytest.mark.parametrize(("kind", "leaf"), CASES)
def test_what_is_sent_is_read_back(kind: Kind, leaf: str) -> None:
    for made in both(kind, leaf):
        assert told_by_oci(made.request) == made.request


WITH_THE_CODE = ("env[]", "args", "maximumRuntimeInMinutes", "runtime.")
"""Places whose fields an adopted job keeps as OCI has them: they go with its code."""

OTHERWISE_IN_OCI = {
    f"{MACHINES}logging.enableLogging": "a job that keeps no output has no log group",
    f"{MACHINES}logging.logGroupName": "OCI has its OCID",
    f"{MACHINES}logging.logName": "OCI has its OCID",
    f"{MACHINES}storageMounts[].src": "OCI has what it means",
    f"{FLOW}poolName": "OCI has its OCID",
    "env[].valueFrom.": "OCI has a variable",
    "runtime.spark.conda.": "OCI has a property",
}
"""Fields that a manifest made of an OCI job says in another way, or not at all."""


@pytest.mark.parametrize(("kind", "leaf"), [c for c in CASES if "groups" not in str(c.id)])
def test_a_manifest_of_an_oci_job_says_what_it_was_made_of(kind: Kind, leaf: str) -> None:
    before, after = both(kind, leaf)
    adopts = isinstance(after.request, JobRequest)
    if before.request == after.request or (adopts and leaf.startswith(WITH_THE_CODE)):
        return
    manifest = manifest_of(make_ocid("datasciencejob"), told_by_oci(after.request), [])
    spec = OCIJobSpec.model_validate(manifest["spec"]).document()
    same = value_of(spec, leaf) == value_of(after.job.spec.document(), leaf)
    assert same is not exempt(leaf, OTHERWISE_IN_OCI)


OTHERWISE_IN_ADS = {
    "displayName": "it is the name of the job, and the object's where it may be",
    f"{MACHINES}storageMounts[].objectStorage.": "it is in `src`",
    f"{MACHINES}storageMounts[].fileStorage.": "it is in `src`",
    "runtime.git.codeDir": "it is in the other paths",
    "runtime.script.entrypoint": "it is the one file that there is",
}
"""Fields that come back from ADS in another way."""


CODE_ASIDE = [c for c in CASES if not re.search(r"\.source\.|spark\.entrypoint", str(c.id))]
"""What becomes of code is tested with the files that it is in."""


@pytest.mark.parametrize(("kind", "leaf"), CODE_ASIDE)
def test_what_ads_can_say_comes_back_and_what_it_can_not_is_told(
    kind: Kind, leaf: str, tmp_path: Path
) -> None:
    spec = job_of(with_value(kind.spec, OCIJobSpec, leaf, 1)).spec.document()
    remarks: list[str] = []
    ads = exported({"kind": "OCIJob", "metadata": {"name": "job"}, "spec": spec}, tmp_path, remarks)
    back = imported(ads, tmp_path, [])["spec"]
    kept = value_of(back, leaf) == value_of(spec, leaf)
    places = [re.sub(r"\[.*\]", ITEM, each.partition(":")[0]) for each in remarks]
    told = any(f"spec.{leaf}.".startswith((f"{place}.", f"{place}{ITEM}.")) for place in places)
    assert kept is not (told or exempt(leaf, OTHERWISE_IN_ADS)), (remarks, value_of(back, leaf))


@pytest.mark.parametrize(
    "exceptions", [OF_NO_REVISION, IN_THE_CODE, PLACES, OTHERWISE_IN_OCI, OTHERWISE_IN_ADS]
)
def test_every_exception_is_of_a_field(exceptions: dict[str, str]) -> None:
    known = tuple(leaves(OCIJobSpec))
    assert [e for e in exceptions if not any(leaf.startswith(e) for leaf in known)] == []
