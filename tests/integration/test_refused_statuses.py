"""What the API server refuses of an object: that is told, and what runs can be ended all the same."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
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
def refusing(stage: Stage, rule: str, *, resource: str = "ocijobruns/status") -> Iterator[None]:
    """Have the API server refuse changes of runs, or of their statuses, but for those of which the rule is true."""
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
                        "resources": [resource],
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


def until_in_force(stage: Stage, change: Callable[[Stage, str], object]) -> None:
    """Return when a change is refused: the API server reads policies in its own time, and tells nobody.

    Args:
        stage: where.
        change: makes a change of the run `probe`, another one for each text.
    """
    probe = manifests.run("probe")
    probe["metadata"]["annotations"] = {"ocijobs.io/paused": "true"}
    stage.create(probe)
    deadline = time.monotonic() + patience(60)
    while time.monotonic() < deadline:
        try:
            change(stage, str(time.monotonic()))
        except ApiException as error:
            if error.status != 422:
                raise
            stage.delete("OCIJobRun", "probe")
            return
        time.sleep(0.05)
    raise AssertionError("the policy is never in force")


def change_status(stage: Stage, text: str) -> None:
    stage.patch_status("OCIJobRun", "probe", {"logs": {"tail": [text]}})


def add_finalizer(stage: Stage, text: str) -> None:
    stage.patch("OCIJobRun", "probe", {"metadata": {"finalizers": [f"example.com/{text}"]}})


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
        until_in_force(stage, change_status)
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
        until_in_force(stage, change_status)
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
        until_in_force(stage, change_status)
        seen = stage.emulator.last_seq()
        stage.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
        stage.emulator.wait_for("CancelJobRun", since=seen)
    assert phase(stage.until("OCIJobRun", "run", lambda run: phase(run) == "Suspended"))


def test_a_finalizer_that_is_refused_is_told_and_nothing_is_launched_before(stage: Stage) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.apply(manifests.job())
    stage.until_synced("job")
    with refusing(stage, "!has(object.metadata.finalizers)", resource="ocijobruns"):
        until_in_force(stage, add_finalizer)
        stage.apply(manifests.run())
        told = condition(stage.until_reason("OCIJobRun", "run", "ChangeRefused"), "Ready")
        assert told["status"] == "False"
        assert "not in this cluster" in told["message"]
        assert "the next one is at 20" in told["message"]
        stage.until_event("run", "ChangeRefused")
        assert stage.job_runs() == []
    assert phase(stage.until_ended("run")) == "Succeeded"
    assert len(stage.job_runs()) == 1


def test_an_object_that_is_too_large_to_be_held_is_told_by_an_event(stage: Stage) -> None:
    """What etcd takes at its creation, and not with a finalizer or a status."""
    stage.identity()
    least, most = 700_000, 900_000
    while most - least > 8:
        size = (least + most) // 2
        if _created(stage, _large("probe", size, paused=True)):
            stage.delete("OCIJob", "probe")
            least = size
        else:
            most = size
    assert _created(stage, _large("large", least - 20, paused=False))
    assert "too large" in stage.until_event("large", "ChangeRefused")
    stage.apply(manifests.job())
    stage.until_synced("job")


def _large(name: str, size: int, *, paused: bool) -> Document:
    """Return a job with so many characters of code, which take two bytes each in JSON."""
    files = {"main.py": '"' * (size // 2), "more.py": '"' * (size - size // 2)}
    script = {"source": {"inline": files}, "entrypoint": "main.py"}
    large = manifests.job(name, runtime={"script": script})
    large["metadata"]["annotations"] = {"ocijobs.io/paused": "true" if paused else "none"}
    return large


def _created(stage: Stage, document: Document) -> bool:
    try:
        stage.create(document)
    except ApiException as error:
        if "request is too large" not in str(error.body):
            raise
        return False
    return True
