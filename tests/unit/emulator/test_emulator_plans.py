"""Plans of simulated runs."""

import json
from typing import Any

import pytest

from oci_emulator.services.datascience.plans import Plan, PlanError, Plans, from_json, from_tag


def test_a_plan_is_read_and_written() -> None:
    document = {
        "match": {"displayName": "sweep-*", "freeformTags": {"team": "a"}},
        "mode": "simulated",
        "accepted": [1.0, 2.0],
        "inProgress": [3.0, 3.0],
        "outcome": "FAILED",
        "exitCode": 7,
        "lifecycleDetails": "",
        "output": ["a", "b"],
        "dataReadInBytes": 3,
        "dataWrittenInBytes": 4,
        "seed": 5,
    }
    assert from_json(document).as_json() == document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a plan is a JSON object"),
        ({"running": 1}, "a plan has no field 'running'"),
        ({"match": {"name": "x"}}, "match: has displayName"),
        ({"mode": "dream"}, "mode: must be one of process, simulated, not 'dream'"),
        ({"outcome": "OK"}, "outcome: must be one of SUCCEEDED"),
        ({"accepted": -1}, "accepted: must be seconds"),
        ({"inProgress": [2, 1]}, "inProgress: must be seconds"),
        ({"exitCode": 0}, "exitCode: must be 1 to 255, not 0"),
        ({"output": "line"}, "output: must be a list of strings"),
    ],
)
def test_what_is_no_plan_is_explained(document: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        from_json(document)


def test_durations_are_random_in_their_range_and_repeatable() -> None:
    plan = Plan(accepted=(1, 2), in_progress=(10, 20), seed=3)
    durations = [plan.durations(index) for index in range(50)]
    assert durations == [plan.durations(index) for index in range(50)]
    assert len(set(durations)) == 50
    for accepted, running in durations:
        assert accepted is not None
        assert 1 <= accepted <= 2
        assert 10 <= running <= 20
    assert Plan(accepted=(1, 2), seed=4).durations(0) != plan.durations(0)


def test_the_first_plan_that_matches_is_the_runs() -> None:
    plans = Plans("process")
    plans.set(
        {
            "default": {"outcome": "CANCELED"},
            "plans": [
                {"match": {"displayName": "sim-*"}, "mode": "simulated", "exitCode": 1},
                {"match": {"freeformTags": {"kind": "sim"}}, "mode": "simulated", "exitCode": 2},
                {"match": {"displayName": "sim-*"}, "mode": "process", "exitCode": 3},
            ],
        }
    )
    assert plans.of("other", {}) == ("process", plans.default)
    assert plans.of("sim-1", {"kind": "sim"})[1].exit_code == 1
    mode, plan = plans.of("other", {"kind": "sim", "more": "x"})
    assert (mode, plan.exit_code) == ("simulated", 2)


def test_a_runs_own_tag_comes_first() -> None:
    plans = Plans("process")
    plans.set({"plans": [{"mode": "process"}]})
    tags = {"emulator.plan": json.dumps({"outcome": "NEEDS_ATTENTION"})}
    mode, plan = plans.of("run", tags)
    assert (mode, plan.outcome) == ("simulated", "NEEDS_ATTENTION")


def test_a_tag_without_json_is_explained() -> None:
    with pytest.raises(PlanError, match=r"the tag emulator\.plan is no JSON"):
        from_tag("FAILED")


def test_nothing_is_taken_of_what_can_not_be_read() -> None:
    plans = Plans("process")
    with pytest.raises(PlanError):
        plans.set({"mode": "simulated", "plans": [{"outcome": "?"}]})
    assert plans.mode == "process"


def test_output_has_the_values_of_the_run() -> None:
    plan = Plan(output=("$displayName is $index", "alpha=${ALPHA} $unknown $$5"))
    lines = plan.lines({"displayName": "a", "index": "3", "ALPHA": "0.1"})
    assert lines == ["a is 3", "alpha=0.1 $unknown $5"]


def test_ends_have_the_words_of_the_service() -> None:
    assert Plan(outcome="FAILED", exit_code=3).end().details.endswith("failed with exit code 3.")
    assert Plan(outcome="FAILED", details="out of luck").end().details == "out of luck"
