"""A status that the API server refuses: what is left of it is told, and what runs can be ended all the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.client import ApiException
from tests.support import manifests
from tests.support.namespace import Document, condition, phase
from tests.support.patience import patience
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

QUICK = {"accepted": 0.2, "inProgress": 0.3}
LONG = {"accepted": 0.1, "inProgress": 3600}
API = "admissionregistration.k8s.io/v1"


@contextmanager
def refusing(stage: Stage, rule: str) -> Iterator[None]:
    """Have the API server refuse statuses of runs, but for those of which the rule is true."""
    name = f"refuse-{stage.namespace}"
    policy: Document = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": stage.namespace}
                },
                "resourceRules": [
                    {
                        "apiGroups": ["ocijobs.io"],
                        "apiVersions": ["*"],
                        "operations": ["UPDATE"],
                        "resources": ["ocijobruns/status"],
                    }
                ],
            },
            "validations": [{"expression": rule, "message": "not in this cluster"}],
        },
    }
    binding: Document = {
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    stage.apply(policy, binding)
    try:
        yield
    finally:
        for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            stage.cluster.api().request("DELETE", f"/apis/{API}/{plural}/{name}")


def until_in_force(stage: Stage) -> None:
    """Return when the policy is heeded: the API server reads policies in its own time, and tells nobody."""
    probe = manifests.run("probe")
    probe["metadata"]["annotations"] = {"ocijobs.io/paused": "true"}
    stage.create(probe)
    deadline = time.monotonic() + patience(60)
    while time.monotonic() < deadline:
        try:
            stage.patch_status("OCIJobRun", "probe", {"logs": {"tail": [str(time.monotonic())]}})
        except ApiException as error:
            if error.status != 422:
                raise
            stage.delete("OCIJobRun", "probe")
            return
        time.sleep(0.05)
    raise AssertionError("the policy is never in force")


def refused_whole(stage: Stage) -> float:
    """Return how often the metrics say that a whole status was refused."""
    metrics = stage.operator.fetch("/metrics") or ""
    found = re.findall(
        r"^ocijobs_status_refused_total\{.*OCIJobRun.*\} (\S+)$", metrics, re.MULTILINE
    )
    return sum(map(float, found))


def is_whole(run: Document) -> bool:
    return not condition(run, "StatusRefused")["status"]


def test_a_status_lands_without_what_the_api_server_does_not_take(stage: Stage) -> None:
    stage.emulator.set_mode(
        default={**QUICK, "output": ["done", '{"ocijobs.io/results": {"auc": 0.93}}']}
    )
    stage.identity(logGroupId=stage.log_group())
    stage.apply(manifests.job(results=["auc"]))
    with refusing(stage, "!has(object.status.logs) || !has(object.status.logs.tail)"):
        until_in_force(stage)
        stage.apply(manifests.run())
        ended = stage.until_ended("run")
        assert phase(ended) == "Succeeded"
        refused = condition(ended, "StatusRefused")
        assert (refused["status"], refused["reason"]) == ("True", "StatusRefused")
        assert condition(ended, "Complete")["status"] == "True"
        assert ended["status"]["results"] == {"auc": "0.93"}
        assert "tail" not in ended["status"]["logs"]
        assert "not in this cluster" in stage.until_event("run", "StatusRefused")
        assert refused_whole(stage) >= 1
    whole = stage.until("OCIJobRun", "run", is_whole)
    assert whole["status"]["logs"]["tail"][0] == "done"
    assert phase(whole) == "Succeeded"


def test_a_run_whose_status_can_not_be_written_is_cancelled_and_none_is_launched(
    stage: Stage,
) -> None:
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    running = stage.until("OCIJobRun", "run", lambda run: phase(run) == "Running")
    ocid = running["status"]["jobRunId"]
    with refusing(stage, "false"):
        until_in_force(stage)
        seen = stage.emulator.last_seq()
        stage.apply(manifests.run("another"))
        stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
        stage.emulator.wait_for("CancelJobRun", since=seen)
        stage.until_event("another", "StatusRefused")
        stage.until_event("run", "StatusRefused")
        until_at_rest(stage.operator)
        assert stage.job_run_state(ocid) in {"CANCELING", "CANCELED"}
        assert phase(stage.get("OCIJobRun", "run")) == "Running"
        assert len(stage.job_runs()) == 1
    assert phase(stage.until_ended("run")) == "Cancelled"
    assert is_whole(stage.until("OCIJobRun", "another", lambda run: phase(run) == "Running"))
    assert len(stage.job_runs()) == 2


def test_a_run_whose_status_can_not_be_written_is_ended_when_it_is_suspended(stage: Stage) -> None:
    """Why it is ended is to be in status before OCI is asked; where it can't be, memory has to do."""
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    stage.until("OCIJobRun", "run", lambda run: phase(run) == "Running")
    with refusing(stage, "false"):
        until_in_force(stage)
        seen = stage.emulator.last_seq()
        stage.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
        stage.emulator.wait_for("CancelJobRun", since=seen)
    assert phase(stage.until("OCIJobRun", "run", lambda run: phase(run) == "Suspended"))
