"""What users ask of a run that can't be: each is answered in words, and nothing else is harmed."""

from __future__ import annotations

import json

import pytest
import yaml
from tests.support import manifests
from tests.support.namespace import Document, condition, phase
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

QUICK = {"accepted": 0.2, "inProgress": 0.3}
GOOD = '{"ocijobs.io/results": {"auc": 0.93}}'


def run_printing(stage: Stage, *lines: str) -> Document:
    """Return the ended run whose code prints these lines."""
    stage.emulator.set_mode(default={**QUICK, "output": list(lines)})
    stage.identity(logGroupId=stage.log_group())
    stage.apply(manifests.job(results=["auc"]), manifests.run())
    ended = stage.until_ended("run")
    assert phase(ended) == "Succeeded"
    return ended


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"ocijobs.io/results": {"auc": 0.5}', id="no JSON"),
        pytest.param('{"ocijobs.io/results": [0.5]}', id="no object of values"),
        pytest.param('result: {"ocijobs.io/results": {"auc": 0.5}}', id="something before it"),
        pytest.param(
            json.dumps({"ocijobs.io/results": {"auc": 0.5, "notes": "x" * 4096}}), id="over 4 KiB"
        ),
    ],
)
def test_a_line_that_is_no_result_line_reports_nothing(stage: Stage, line: str) -> None:
    ended = run_printing(stage, line)
    missing = condition(ended, "ResultsReady")
    assert (missing["status"], missing["reason"]) == ("False", "ResultMissing")
    assert "not reported: auc" in missing["message"]
    assert "results" not in ended["status"]


def test_a_line_that_is_none_takes_nothing_from_one_that_is(stage: Stage) -> None:
    ended = run_printing(stage, GOOD, '{"ocijobs.io/results": {"auc": ')
    assert ended["status"]["results"] == {"auc": "0.93"}
    assert condition(ended, "ResultsReady")["status"] == "True"


def test_whatever_a_run_prints_its_status_lands_and_can_be_read(stage: Stage) -> None:
    lines = [
        "done \U0001f680",
        "\x1b]0;title\x07\x1b[1mbold\x1b[0m \x85\u2028 \x9b31mred",
        "evil\u202etxt.exe \ufffe \x00 \ufeff",
        "A" * 200_000,
        json.dumps({"ocijobs.io/results": {"auc": "\U0001f3af 0.93"}}, ensure_ascii=False),
    ]
    stage.emulator.set_mode(default={**QUICK, "output": lines})
    stage.identity(logGroupId=stage.log_group())
    arguments = ["--title", "\U0001f680"]
    # The tests' own client applies what is no YAML.
    stage.create(manifests.job(results=["auc"], args=arguments))
    stage.create(manifests.run(env=[{"name": "TITLE", "value": "\U0001f680"}]))
    ended = stage.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["results"] == {"auc": "\U0001f3af 0.93"}
    tail = ended["status"]["logs"]["tail"]
    assert tail[:3] == ["done \U0001f680", "bold  red", "eviltxt.exe   "]
    assert tail[3].endswith("A… (cut)")
    assert ended["status"]["binding"]["template"]["args"] == arguments
    read = yaml.safe_load(stage.kubectl("get", "ocijobrun", "run", "-o", "yaml"))
    assert read["status"]["logs"]["tail"] == tail
    stage.kubectl("describe", "ocijobrun", "run")


def until_heeded(stage: Stage) -> Document:
    """Return the run when the operator has done about its newest spec what it does."""
    heeded = stage.until(
        "OCIJobRun",
        "run",
        lambda run: run["status"]["observedGeneration"] == run["metadata"]["generation"],
    )
    until_at_rest(stage.operator)
    return heeded


def test_cancelling_a_run_that_has_ended_changes_nothing(stage: Stage) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    ended = stage.until_ended("run")
    seen = stage.emulator.last_seq()
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    after = until_heeded(stage)
    assert phase(after) == "Succeeded"
    assert after["status"]["completionTime"] == ended["status"]["completionTime"]
    assert "CancelJobRun" not in stage.emulator.counts(seen)


def test_suspending_a_run_that_has_ended_changes_nothing(stage: Stage) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    stage.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
    assert phase(until_heeded(stage)) == "Succeeded"


def test_a_pattern_that_is_none_ends_the_run_with_its_place(stage: Stage) -> None:
    stage.identity()
    rule = {"action": "Retry", "onLifecycleDetails": {"pattern": "(unclosed"}}
    stage.apply(manifests.job(), manifests.run(failurePolicy={"rules": [rule]}))
    ended = stage.until_ended("run")
    failed = condition(ended, "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "spec.failurePolicy.rules[0].onLifecycleDetails.pattern" in failed["message"]
    assert not stage.job_runs()


def test_a_creation_that_oci_refuses_as_invalid_is_tried_again_as_often_as_it_may(
    stage: Stage,
) -> None:
    stage.emulator.add_fault(operation="CreateJobRun", status=400, code="InvalidParameter")
    stage.identity()
    stage.apply(manifests.job(), manifests.run(submissionRetryLimit=2))
    ended = stage.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "SubmissionFailed"
    assert sum(stage.emulator.counts()["CreateJobRun"].values()) == 3


def test_a_run_that_needs_attention_says_so_and_can_be_cancelled(stage: Stage) -> None:
    stage.emulator.set_mode(default={**QUICK, "outcome": "NEEDS_ATTENTION"})
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    told = stage.until_reason("OCIJobRun", "run", "NeedsAttention")
    assert phase(told) == "NeedsAttention"
    assert condition(told, "Stalled")["status"] == "True"
    assert stage.until_event("run", "NeedsAttention")
    stage.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    assert phase(stage.until_ended("run")) == "Cancelled"
