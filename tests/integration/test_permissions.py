"""Least privilege: the operator is refused nothing that it asks for, and is granted nothing that it does not use."""

import json
from datetime import datetime
from typing import Any

from tests.support import manifests
from tests.support.namespace import Document
from tests.support.patience import patience
from tests.support.queues import API, queue, queued
from tests.support.stage import Stage

from ocijobs.api.shared.names import ANNOTATION_ABANDON, ANNOTATION_CREDENTIALS_VERSION, API_VERSION
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES


def test_every_permission_is_used_and_none_lacks(queued_stage: Stage) -> None:
    stage = queued_stage
    stage.identity()
    job = manifests.job()
    job["spec"]["runtime"]["script"]["source"] = {"configMap": {"name": "code"}}
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}}
    stage.apply(code | {"data": {"main.py": ""}}, job, manifests.run())
    stage.until_ended("run")
    _make_what_makes_others(stage)
    # The same Event twice is counted up.
    stage.patch("OCIJob", "job", {"spec": {"runtime": {"script": {"entrypoint": "no.py"}}}})
    stage.until_reason("OCIJob", "job", "InvalidSpec")
    stage.patch("OCIJob", "job", {"spec": {"runtime": {"script": {"entrypoint": None}}}})
    stage.until_reason("OCIJob", "job", "Synced")
    stage.until_event("job", "Synced")
    for kind in ("GitRepository", "Bucket", "OCIRepository"):
        source = {"flux": {"kind": kind, "name": "code"}}
        stage.apply(manifests.job(runtime={"script": {"source": source}}))
        stage.until_told("OCIJob", "job", f"no {kind} code of Flux")
    _wait_in_a_queue(stage)
    _copy_credentials(stage)
    stage.operator.stop()
    used, refused = _audited(stage)
    assert refused == []
    granted = {
        (group, resource, verb)
        for permission in (*WATCHED_NAMESPACES, *CLUSTER, *OWN_NAMESPACE)
        for group in (permission.group,)
        for resource in permission.resources
        for verb in permission.verbs
    }
    assert granted - used == set()


def _copy_credentials(stage: Stage) -> None:
    """Have a key changed of which there is a copy, an object let go with what it has in OCI, and the rest deleted."""
    stage.kubectl("annotate", "secret", "default-key", "changed=yes")
    key = json.loads(stage.kubectl("get", "secret", "default-key", "-o", "json"))["metadata"]
    version = f"{key['uid']}/{key['resourceVersion']}/"

    def is_newest(copies: list[Document]) -> bool:
        found = [c["metadata"]["annotations"][ANNOTATION_CREDENTIALS_VERSION] for c in copies]
        return found == [version]

    stage.until_copies(is_newest)
    stage.patch("OCIJob", "job", {"metadata": {"annotations": {ANNOTATION_ABANDON: "true"}}})
    stage.kubectl("delete", "ocijobruns,ocijobs", "--all")
    assert [orphan["name"] for orphan in stage.orphans()] == ["job"]
    stage.until_copies(lambda copies: copies == [])


def _make_what_makes_others(stage: Stage) -> None:
    """Have jobs, runs and sweeps made, and deleted when they have expired."""
    own = manifests.run("own") | {"spec": {"jobTemplate": {"spec": manifests.job()["spec"]}}}
    soon: dict[str, Any] = {"ttlSecondsAfterFinished": 0}
    one = {"jobRef": {"name": "job"}, "matrix": {"X": ["1"]}, **soon}
    plan = {"schedule": "@every 2s", "resources": [{"name": "one", "sweep": one}]}
    schedule = {"kind": "OCIJobSchedule", "metadata": {"name": "nightly"}, "spec": plan}
    stage.apply(own, manifests.run("short", **soon), {"apiVersion": API_VERSION, **schedule})
    stage.until_ended("own")
    stage.until_gone("OCIJobRun", "short")
    made = stage.until("OCIJobSchedule", "nightly", lambda o: bool(o["status"].get("firings")))
    at = datetime.fromisoformat(made["status"]["firings"][0]["scheduledTime"])
    stage.until_gone("OCIJobSweep", f"nightly-{int(at.timestamp()) // 60}-one")
    stage.delete("OCIJobSchedule", "nightly")


def _wait_in_a_queue(stage: Stage) -> None:
    """Have a run in a queue: it is admitted and ends; another one leaves the queue before."""
    name = queue(stage)
    priority = {"apiVersion": API, "kind": "WorkloadPriorityClass", "metadata": {"name": name}}
    stage.apply(priority | {"value": 1}, manifests.job(), queued("ends", priority=name))
    stage.until_ended("ends")
    stage.kubectl(
        "patch", "clusterqueue", name, "--type=merge", "-p", '{"spec":{"stopPolicy":"Hold"}}'
    )
    stage.apply(queued("leaves"))
    stage.until_reason("OCIJobRun", "leaves", "WaitingForQueue")
    stage.patch("OCIJobRun", "leaves", {"spec": {"suspend": True}})
    stage.until_reason("OCIJobRun", "leaves", "Suspended")
    stage.kubectl(
        "wait",
        "--for=delete",
        "workload",
        "-l",
        "ocijobs.io/run=leaves",
        f"--timeout={patience(60)}s",
    )


def _audited(stage: Stage) -> tuple[set[tuple[str, str, str]], list[str]]:
    used: set[tuple[str, str, str]] = set()
    refused: list[str] = []
    for entry in stage.audited():
        if "objectRef" not in entry:
            continue
        ref = entry["objectRef"]
        resource = "/".join(part for part in (ref.get("resource"), ref.get("subresource")) if part)
        used.add((ref.get("apiGroup", ""), resource, entry["verb"]))
        if entry.get("responseStatus", {}).get("code") in {401, 403}:
            refused.append(f"{entry['verb']} {entry['requestURI']}")
    return used, refused
