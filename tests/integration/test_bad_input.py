"""What users get wrong, and what they are told: a reason, an Event, and the cause in words."""

from typing import Any

import pytest
from kubernetes.client import ApiException
from tests.support import manifests
from tests.support.namespace import Namespace, condition
from tests.support.patience import patience
from tests.support.stage import Stage

from ocijobs.api.shared.names import API_VERSION


def _job(**spec: Any) -> dict[str, Any]:
    return manifests.job(**spec)


def _with_shape(**shape: Any) -> dict[str, Any]:
    return _job(infrastructure={"dataScienceJob": shape})


def _with_source(**source: Any) -> dict[str, Any]:
    return _job(runtime={"script": {"source": source}})


def _schedule(name: str, *resources: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSchedule",
        "metadata": {"name": name},
        "spec": {"schedule": "@daily", "resources": list(resources), **spec},
    }


_RUN = {"jobRef": {"name": "job"}}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no spec": (
        {k: v for k, v in manifests.job().items() if k != "spec"},
        "spec: Required value",
    ),
    "two runtimes": (
        _job(
            runtime={
                "script": {"source": {"inline": {"a.py": ""}}},
                "python": {
                    "source": {"inline": {"a.py": ""}},
                    "conda": {"type": "service", "slug": "x"},
                },
            }
        ),
        "exactly one of script, python, notebook, git, container, pyTorchDistributed and spark must be given",
    ),
    "two sources": (
        _with_source(inline={"a.py": ""}, configMap={"name": "code"}),
        "exactly one of inline, configMap, objectStorage, http, gitRepository and flux must be given",
    ),
    "an empty matrix": (
        manifests.sweep(matrix={}),
        "spec.matrix in body should have at least 1 properties",
    ),
    "a variable without a value": (
        manifests.sweep(matrix={"A": []}),
        "spec.matrix.A in body should have at least 1 items",
    ),
    "a sweep of no points": (
        manifests.sweep(points=[]),
        "spec.points in body should have at least 1 items",
    ),
    "a matrix and points": (
        manifests.sweep(matrix={"A": ["1"]}, points=[{"parameters": {"A": "1"}}]),
        "exactly one of matrix and points must be given",
    ),
    "a sweep whose children's names would be too long": (
        manifests.sweep("s" * 53, matrix={"A": ["1"]}),
        "metadata.name must have at most 52 characters",
    ),
    "a schedule whose objects' names would be too long": (
        _schedule("s" * 22, {"name": "r" * 21, "run": _RUN}),
        "metadata.name and the name of each of spec.resources must have at most 42 characters together",
    ),
    "a resource that is a run and a sweep": (
        _schedule("s", {"name": "r", "run": _RUN, "sweep": {**_RUN, "matrix": {"A": ["1"]}}}),
        "exactly one of run and sweep must be given",
    ),
    "two resources of one name": (
        _schedule("s", {"name": "r", "run": _RUN}, {"name": "r", "run": _RUN}),
        "Duplicate value",
    ),
    "a best parameter of a run": (
        manifests.run(
            env=[
                {"name": "A", "valueFrom": {"resultRef": {"name": "x", "bestParameter": "A"}}},
            ]
        ),
        "bestParameter needs kind OCIJobSweep: a run has results only",
    ),
    "a path out of the code": (
        _with_source(inline={"../a.py": ""}),
        "paths of inline files are relative",
    ),
    "a flexible shape without a size": (
        _with_shape(shapeName="VM.Standard.E4.Flex"),
        "jobShapeConfigDetails is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a flexible size on a fixed shape": (
        _with_shape(shapeName="VM.Standard2.1", jobShapeConfigDetails={"ocpus": 1}),
        "jobShapeConfigDetails is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "neither a shape nor a compute target": (
        _with_shape(subnetId="ocid1.subnet.oc1.iad.a"),
        "exactly one of shapeName and computeTarget must be given",
    ),
    "no infrastructure": (
        _job(infrastructure={}),
        "exactly one of dataScienceJob and dataFlow must be given",
    ),
    "an infrastructure that there is not": (
        _job(infrastructure={"dataScienceJob": {"shapeName": "x"}, "kubernetesJob": {}}),
        'unknown field "spec.infrastructure.kubernetesJob"',
    ),
    "six mounts": (
        _with_shape(
            shapeName="VM.Standard2.1",
            storageMounts=[
                {"destinationDirectoryName": f"d{i}", "src": "oci://b@n/x"} for i in range(6)
            ],
        ),
        "must have at most 5 items",
    ),
    "a file system without a subnet": (
        _with_shape(
            shapeName="VM.Standard2.1",
            storageMounts=[
                {
                    "destinationDirectoryName": "d",
                    "fileStorage": {
                        "mountTargetId": "ocid1.mounttarget.oc1.iad.a",
                        "exportId": "ocid1.export.oc1.iad.b",
                    },
                }
            ],
        ),
        "a file system is mounted in a subnet: give subnetId",
    ),
    "a mount of something else": (
        _with_shape(
            shapeName="VM.Standard2.1",
            storageMounts=[{"destinationDirectoryName": "d", "src": "s3://bucket"}],
        ),
        "spec.infrastructure.dataScienceJob.storageMounts[0].src",
    ),
    "a log by OCID and by name": (
        _with_shape(
            shapeName="VM.Standard2.1",
            logging={"logGroupId": "ocid1.loggroup.oc1.iad.x", "logGroupName": "group"},
        ),
        "give logGroupId or logGroupName, not both",
    ),
    "an image of another registry": (
        _job(runtime={"container": {"image": "docker.io/library/python:3"}}),
        "spec.runtime.container.image",
    ),
    "outputs of a container": (
        _job(
            runtime={"container": {"image": "iad.ocir.io/n/train:1"}},
            outputs={"uri": "oci://b@n/x"},
        ),
        "a container does not have it: mount a bucket",
    ),
    "a Vault secret in a container": (
        _job(
            runtime={"container": {"image": "iad.ocir.io/n/train:1"}},
            env=[
                {
                    "name": "A",
                    "valueFrom": {"vaultSecretRef": {"secretId": "ocid1.vaultsecret.oc1.iad.a"}},
                }
            ],
        ),
        "let the code read the secret",
    ),
    "replicas beside groups of nodes": (
        _job(
            runtime={"container": {"image": "iad.ocir.io/n/train:1", "replicas": 2}},
            infrastructure={
                "dataScienceJob": {
                    "shapeName": "VM.Standard2.1",
                    "jobNodeGroups": [{"name": "a"}],
                }
            },
        ),
        "replicas are one group of nodes",
    ),
    "more nodes that must succeed than there are": (
        _with_shape(
            shapeName="VM.Standard2.1",
            jobNodeGroups=[{"name": "a", "replicas": 2, "minimumSuccessReplicas": 3}],
        ),
        "minimumSuccessReplicas must not be more than replicas",
    ),
    "two references of a repository": (
        _with_source(
            gitRepository={"url": "https://example.com/x", "ref": {"branch": "a", "tag": "b"}}
        ),
        "exactly one of branch, tag and commit must be given",
    ),
    "a password in an address": (
        _with_source(http={"url": "https://user:secret@example.com/x.zip", "sha256": "0" * 64}),
        "source.http.url",
    ),
    "a local repository": (
        _with_source(gitRepository={"url": "file:///etc"}),
        "source.gitRepository.url",
    ),
    "a checksum that is none": (
        _with_source(http={"url": "https://example.com/x.zip", "sha256": "abc"}),
        "source.http.sha256",
    ),
    "neither a runtime nor an OCI job to adopt": (
        {**manifests.job(), "spec": {"infrastructure": {"dataScienceJob": {"shapeName": "x"}}}},
        "runtime must be given, unless an OCI job is adopted",
    ),
    "too little block storage": (
        _with_shape(shapeName="VM.Standard2.1", blockStorageSizeInGBs=20),
        "should be greater than or equal to 50",
    ),
    "no OCID": (_job(compartmentId="my-compartment"), "spec.compartmentId"),
    "a log without its group": (
        _with_shape(shapeName="VM.Standard2.1", logging={"logId": "ocid1.log.oc1.iad.x"}),
        "logId needs logGroupId, the group of the log",
    ),
    "a variable with neither value nor source": (
        _job(env=[{"name": "A"}]),
        "exactly one of value and valueFrom must be given",
    ),
    "a reserved variable": (
        _job(env=[{"name": "OCIJOBS_X", "value": "1"}]),
        "names that begin with OCIJOBS_ are reserved for the operator",
    ),
    "the same variable twice": (
        _job(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
        "Duplicate value",
    ),
    "eight tags": (
        _job(freeformTags={f"key{i}": "x" for i in range(8)}),
        "must have at most 7 items",
    ),
    "python without a conda environment": (
        _job(runtime={"python": {"source": {"inline": {"a.py": ""}}}}),
        "spec.runtime.python.conda: Required value",
    ),
    "a service environment by address": (
        _job(
            runtime={
                "script": {
                    "source": {"inline": {"a.py": ""}},
                    "conda": {"type": "service", "uri": "oci://b@n/x"},
                }
            }
        ),
        "type service takes a slug and no uri",
    ),
    "outputs that go nowhere": (
        _job(outputs={"uri": "s3://bucket/prefix"}),
        "spec.outputs.uri",
    ),
    "a name that fits no label": (
        _job() | {"metadata": {"name": "j" * 64}},
        "metadata.name must have at most 63 characters",
    ),
    "a run without a job": (
        manifests.run() | {"spec": {}},
        "exactly one of jobRef, jobId and jobTemplate must be given",
    ),
    "a field that does not exist": (
        manifests.run(jobref={"name": "job"}),
        'unknown field "spec.jobref"',
    ),
    "an identity of an unknown type": (
        manifests.identity(type="Password"),
        'supported values: "APIKey"',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_api_server_refuses_it_and_names_the_rule(alone: Namespace, name: str) -> None:
    document, rule = REFUSED[name]
    said = alone.kubectl_apply(document, check=False)
    assert rule in said


def test_more_code_than_an_object_can_hold_is_refused(alone: Namespace) -> None:
    """By client-side apply it is refused before, for the annotation that kubectl keeps a copy in."""
    files = dict.fromkeys(("a.py", "b.py", "c.py"), "#" * 400_000)
    with pytest.raises(ApiException) as refused:
        alone.create(_with_source(inline=files))
    rule = "inline files have at most 1000000 characters together: put more into Object Storage"
    assert rule in str(refused.value.body)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"jobRef": {"name": "other"}}, "jobRef is immutable"),
        ({"env": [{"name": "A", "value": "1"}]}, "env is immutable"),
        ({"args": ["x"]}, "args is immutable"),
        ({"maximumRuntimeInMinutes": 5}, "maximumRuntimeInMinutes is immutable"),
        ({"displayName": "x"}, "displayName is immutable"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_run_is_not_edited(alone: Namespace, change: dict[str, Any], rule: str) -> None:
    alone.create(manifests.run())
    said = alone.kubectl_apply(
        manifests.run() | {"spec": {"jobRef": {"name": "job"}, **change}}, check=False
    )
    assert rule in said


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"jobRef": {"name": "other"}}, "jobRef is immutable"),
        ({"matrix": {"X": ["1", "2"]}}, "matrix is immutable"),
        ({"objective": {"result": "auc", "goal": "Maximize"}}, "objective is immutable"),
        ({"runTemplate": {"spec": {"backoffLimit": 2}}}, "runTemplate is immutable"),
        ({"dependsOn": [{"name": "x"}]}, "dependsOn is immutable"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_sweep_is_not_edited(alone: Namespace, change: dict[str, Any], rule: str) -> None:
    given: dict[str, Any] = {"matrix": {"X": ["1"]}}
    alone.create(manifests.sweep(**given))
    said = alone.kubectl_apply(manifests.sweep(**(given | change)), check=False)
    assert rule in said


def test_what_of_a_sweep_may_be_edited_is_but_for_a_cancellation(alone: Namespace) -> None:
    given: dict[str, Any] = {"matrix": {"X": ["1"]}}
    alone.kubectl_apply(manifests.sweep(**given))
    edits: dict[str, Any] = {"parallelism": 3, "maxFailedRuns": 1, "suspend": True, "cancel": True}
    alone.kubectl_apply(manifests.sweep(**given, **edits))
    said = alone.kubectl_apply(manifests.sweep(**given), check=False)
    assert "cancel can't be taken back" in said


def test_a_cancellation_is_not_taken_back(alone: Namespace) -> None:
    alone.kubectl_apply(manifests.run(cancel=True))
    said = alone.kubectl_apply(manifests.run(cancel=False), check=False)
    assert "cancel can't be taken back" in said


def test_the_manual_is_kubectl_explain(alone: Namespace) -> None:
    said = alone.kubectl("explain", "ocijob.spec.runtime")
    assert "exactly one of its fields" in " ".join(said.split())
    assert "          source:\n            configMap:\n              name: training-code\n" in said


def test_wrong_credentials_are_told_where_they_are_used(stage: Stage) -> None:
    stage.identity(config=stage.strange_key())
    stage.apply(manifests.job(), manifests.run())
    identity = stage.until_reason("OCIIdentity", "default", "CredentialsInvalid")
    assert "NotAuthenticated" in condition(identity, "Ready")["message"]
    job = stage.until_reason("OCIJob", "job", "CredentialsInvalid")
    assert "OCIIdentity default" in condition(job, "Ready")["message"]
    assert stage.until_event("job", "CredentialsInvalid")
    run = stage.until_reason("OCIJobRun", "run", "WaitingForJob")
    assert condition(run, "Reconciling")["status"] == "True"
    # The right key mends all of it.
    stage.identity()
    assert stage.until_ended("run")["status"]["phase"] == "Succeeded"


def test_a_key_that_is_none_is_told_by_its_name(stage: Stage) -> None:
    stage.identity()
    stage.until_reason("OCIIdentity", "default", "IdentityVerified")
    stage.kubectl("patch", "secret", "default-key", "-p", '{"stringData": {"privatekey": "?"}}')
    stage.patch("OCIIdentity", "default", {"spec": {"region": "us-phoenix-1"}})
    told = stage.until_reason("OCIIdentity", "default", "CredentialsInvalid")
    assert "key 'privatekey' of the Secret is not a PEM key" in condition(told, "Ready")["message"]


def test_no_identity_at_all_is_waited_for(stage: Stage) -> None:
    stage.apply(manifests.job())
    waiting = stage.until_reason("OCIJob", "job", "WaitingForIdentity")
    assert "there is no OCIIdentity default" in condition(waiting, "Ready")["message"]
    stage.identity()
    assert stage.until_reason("OCIJob", "job", "Synced")


def test_an_unknown_compartment_is_retried_and_recovers(stage: Stage) -> None:
    compartment = "ocid1.compartment.oc1..unknown"
    stage.identity(compartmentId=compartment)
    stage.apply(manifests.job(), manifests.run())
    told = stage.until_reason("OCIJob", "job", "NotAuthorizedOrNotFound")
    assert "NotAuthorizedOrNotFound" in condition(told, "Ready")["message"]
    assert condition(told, "Reconciling")["status"] == "True"
    assert stage.until_event("job", "NotAuthorizedOrNotFound")
    stage.emulator.add_compartment(compartment)
    assert stage.until_ended("run")["status"]["phase"] == "Succeeded"


@pytest.mark.settings(artifact_limit_bytes=50_000)
def test_a_code_that_is_too_large_is_an_invalid_spec(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(files={"main.py": "#" * 60_000}))
    told = stage.until_reason("OCIJob", "job", "InvalidSpec")
    assert "it has more than 50000 bytes" in condition(told, "Ready")["message"]
    assert condition(told, "Stalled")["status"] == "True"
    assert stage.until_event("job", "InvalidSpec")
    assert stage.emulator.journal("CreateJob") == []
    stage.apply(manifests.job())
    assert stage.until_reason("OCIJob", "job", "Synced")


def test_a_config_map_without_the_key_is_waited_for(stage: Stage) -> None:
    stage.identity()
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}}
    source = {"configMap": {"name": "code", "keys": ["train.py"]}}
    stage.apply(code | {"data": {"main.py": "print()\n"}}, _with_source(**source))
    told = stage.until_reason("OCIJob", "job", "WaitingForSource")
    message = condition(told, "Ready")["message"]
    assert message == "spec.runtime.script.source: ConfigMap code has no key train.py"
    stage.apply(code | {"data": {"train.py": "print()\n"}})
    stage.until_synced("job")


def test_a_conflict_while_deleting_is_waited_out(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job())
    stage.until_synced("job")
    fault = stage.emulator.add_fault(
        "DeleteJob", status=409, code="IncorrectState", message="runs are active", count=2
    )
    stage.kubectl("delete", "ocijob/job", f"--timeout={patience(60)}s")
    stage.emulator.remove_fault(fault)
    assert len(stage.emulator.journal("DeleteJob")) >= 1


def test_an_environment_that_is_too_large_is_an_invalid_spec(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(env=[{"name": "A", "value": "x" * 20_000}]))
    told = stage.until_reason("OCIJob", "job", "InvalidSpec")
    assert "OCI allows 20000" in condition(told, "Ready")["message"]
    assert stage.until_event("job", "InvalidSpec")


def test_a_run_whose_merged_environment_is_too_large_ends_failed(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.job(env=[{"name": "A", "value": "x" * 12_000}]),
        manifests.run(env=[{"name": "B", "value": "y" * 12_000}]),
    )
    ended = stage.until_ended("run")
    assert ended["status"]["phase"] == "Failed"
    failed = condition(ended, "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "merged with the job's" in failed["message"]
    assert stage.until_event("run", "InvalidSpec")
    assert stage.emulator.journal("CreateJobRun") == []
    assert "finalizers" not in ended["metadata"]


def test_what_oci_refuses_for_good_ends_the_run_with_its_words(stage: Stage) -> None:
    stage.identity()
    stage.emulator.add_fault(
        "CreateJobRun", status=400, code="InvalidParameter", message="no such shape here"
    )
    stage.apply(manifests.job(), manifests.run())
    ended = stage.until_ended("run")
    failed = condition(ended, "Failed")
    assert failed["reason"] == "SubmissionFailed"
    assert "no such shape here" in failed["message"]


def test_a_quota_is_waited_for(stage: Stage) -> None:
    stage.identity()
    fault = stage.emulator.add_fault(
        "CreateJobRun", status=400, code="LimitExceeded", message="10 runs of this shape"
    )
    stage.apply(manifests.job(), manifests.run())
    waiting = stage.until_reason("OCIJobRun", "run", "QuotaExceeded")
    assert "10 runs of this shape" in condition(waiting, "Ready")["message"]
    stage.emulator.remove_fault(fault)
    assert stage.until_ended("run")["status"]["phase"] == "Succeeded"
    assert (
        len({entry.resource_id for entry in stage.emulator.journal("CreateJobRun", status=200)})
        == 1
    )


def test_a_missing_config_map_is_waited_for_and_a_lost_one_changes_nothing(stage: Stage) -> None:
    stage.identity()
    job = manifests.job()
    job["spec"]["runtime"]["script"]["source"] = {
        "configMap": {"name": "code", "keys": ["main.py"]}
    }
    stage.apply(job)
    waiting = stage.until_reason("OCIJob", "job", "WaitingForSource")
    assert "there is no ConfigMap code" in condition(waiting, "Ready")["message"]
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}}
    stage.apply(code | {"data": {"main.py": "print()\n"}})
    stage.until_reason("OCIJob", "job", "Synced")
    stage.kubectl("delete", "configmap", "code")
    stage.create(manifests.run())
    assert stage.until_ended("run")["status"]["phase"] == "Succeeded"
    told = stage.get("OCIJob", "job")
    assert condition(told, "Ready")["reason"] == "SourceUnreachable"
    assert condition(told, "Ready")["status"] == "True"
