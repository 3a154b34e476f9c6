"""Ending what was left: what is ended or gone goes, and what only can't be seen or ended is told."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

import pytest

from ocijobs.api.orphan import Leftovers, Orphan, UnknownLaunch
from ocijobs.api.shared.backend import BackendName
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind, RunState
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.cloud.job_service import JobService
from ocijobs.cloud.leftovers import Ended, Leftover
from ocijobs.testing import (
    COMPARTMENT,
    REGION,
    START,
    make_job_record,
    make_ocid,
    make_run_record,
    make_spark_run_record,
)

pytestmark = pytest.mark.asyncio

RUN, JOB = make_ocid("datasciencejobrun"), make_ocid("datasciencejob")
NO = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="404")
BUSY = Refusal(kind=RefusalKind.CONFLICT, message="409")
PRINCIPAL = Principal(identity=IdentityKey("OCIIdentity", "team-a", "default"), region=REGION)


class Answers:
    """A service that answers each operation as it is told; None where it is not."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.asked: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def __getattr__(self, operation: str) -> Any:
        async def answer(_principal: Principal, *arguments: Any) -> Any:
            self.asked[operation].append(arguments)
            return self._answers.get(operation)

        return answer


async def end(science: Answers, *, flow: Answers | None = None, **left: Any) -> Ended:
    """End what is left."""
    orphan = Orphan(
        kind="OCIJobRun",
        namespace="team-a",
        name="run",
        uid="uid-1",
        cluster_id="cluster",
        identity="default",
        compartment_id=COMPARTMENT,
        cause="let go",
        since=START,
        left=Leftovers(**left),
    )
    answers = {BackendName.DATA_SCIENCE: science, BackendName.DATA_FLOW: flow or Answers()}
    services = cast("dict[str, JobService]", answers)
    return await Leftover(services, PRINCIPAL, orphan).end()


@pytest.mark.parametrize(
    ("answers", "unended"),
    [
        ({}, ()),
        ({"cancel_run": BUSY, "look_up_run": make_run_record(RunState.SUCCEEDED)}, ()),
        ({"cancel_run": BUSY, "look_up_run": make_run_record(RunState.CANCELING)}, ()),
        ({"cancel_run": NO, "look_up_run": Absent()}, ()),
        ({"cancel_run": NO, "look_up_run": NO}, (f"run {RUN}: 404",)),
        (
            {"cancel_run": BUSY, "look_up_run": make_run_record(RunState.IN_PROGRESS)},
            (f"run {RUN}: 409",),
        ),
    ],
)
async def test_a_run_is_ended_or_has_ended(answers: dict[str, Any], unended: tuple[str]) -> None:
    assert await end(Answers(**answers), run_ids=(RUN,)) == Ended(unended=unended, stays=())


@pytest.mark.parametrize(
    ("answers", "unended"),
    [
        ({}, ()),
        ({"delete_run": NO, "look_up_run": Absent()}, ()),
        ({"delete_run": NO, "look_up_run": make_run_record(RunState.DELETED)}, ()),
        (
            {"delete_run": BUSY, "look_up_run": make_run_record(RunState.IN_PROGRESS)},
            (f"record of run {RUN}: 409",),
        ),
        ({"delete_run": NO, "look_up_run": NO}, (f"record of run {RUN}: 404",)),
    ],
)
async def test_a_record_is_deleted_or_gone(answers: dict[str, Any], unended: tuple[str]) -> None:
    assert await end(Answers(**answers), record_ids=(RUN,)) == Ended(unended=unended, stays=())


@pytest.mark.parametrize(
    ("answers", "unended", "stays"),
    [
        ({}, (), ()),
        ({"delete_job": NO, "look_up_job": Absent()}, (), ()),
        ({"delete_job": BUSY, "look_up_job": make_job_record(JobState.DELETING)}, (), ()),
        ({"delete_job": NO, "look_up_job": NO}, (f"job {JOB}: 404",), ()),
        (
            {
                "delete_job": BUSY,
                "look_up_job": make_job_record(JobState.ACTIVE),
                "count_active_runs": 1,
            },
            (f"job {JOB}: 409",),
            (),
        ),
        (
            {
                "delete_job": BUSY,
                "look_up_job": make_job_record(JobState.ACTIVE),
                "count_active_runs": 0,
            },
            (),
            (f"job {JOB}: 409",),
        ),
    ],
)
async def test_a_job_is_deleted_gone_or_kept_for_records(
    answers: dict[str, Any], unended: tuple[str], stays: tuple[str]
) -> None:
    assert await end(Answers(**answers), job_ids=(JOB,)) == Ended(unended=unended, stays=stays)


async def test_a_launch_whose_outcome_is_not_known_is_searched_for() -> None:
    unknown = UnknownLaunch(owner="cluster/uid-1/0", job_id=JOB)
    found = Answers(search_runs=make_run_record(RunState.IN_PROGRESS))
    assert (await end(found, unknown=(unknown,))).unended == ()
    assert found.asked["cancel_run"] == [(RUN,)]
    for answer in (None, make_run_record(RunState.FAILED)):
        nothing = Answers(search_runs=answer)
        assert (await end(nothing, unknown=(unknown,))).unended == ()
        assert not nothing.asked["cancel_run"]
    assert (await end(Answers(search_runs=NO), unknown=(unknown,))).unended == (
        "cluster/uid-1/0: 404",
    )


async def test_a_job_whose_creation_was_not_answered_is_searched_for_in_both_services() -> None:
    unknown = UnknownLaunch(owner="cluster/uid-1/v1")
    application = make_ocid("dataflowapplication")
    flow = Answers(search_jobs=make_job_record(id=application))
    assert (await end(Answers(), flow=flow, unknown=(unknown,))).unended == ()
    assert flow.asked["delete_job"] == [(application,)]
    assert (await end(Answers(search_jobs=NO), unknown=(unknown,))).unended == (
        "cluster/uid-1/v1: 404",
    )


async def test_spark_is_ended_where_it_is_and_its_code_is_named() -> None:
    run = make_spark_run_record().id
    flow, science = Answers(), Answers()
    ended = await end(science, flow=flow, run_ids=(run,), code_uris=("oci://b@n/code",))
    assert flow.asked["cancel_run"] == [(run,)]
    assert not science.asked
    assert ended.stays == ("oci://b@n/code: another job may have the same code",)


async def test_a_record_that_can_not_be_deleted_stays_and_nobody_is_asked() -> None:
    run, flow = make_spark_run_record().id, Answers()
    ended = await end(Answers(), flow=flow, record_ids=(run,))
    assert ended == Ended(unended=(), stays=(f"record of run {run}: Data Flow deletes none",))
    assert not flow.asked


async def test_what_is_of_a_service_that_is_not_known_is_told_and_keeps_nothing_else() -> None:
    pipeline = make_ocid("datasciencepipeline")
    science = Answers()
    unended = (
        await end(
            science,
            run_ids=(pipeline, RUN),
            record_ids=(pipeline,),
            job_ids=(pipeline,),
            unknown=(UnknownLaunch(owner="cluster/uid-1/0", job_id=pipeline),),
        )
    ).unended
    told = "OCIDs of type datasciencepipeline are of no jobs or runs; "
    assert [each.partition(told)[0] for each in unended] == [
        f"run {pipeline}: ",
        "cluster/uid-1/0: ",
        f"record of run {pipeline}: ",
        f"job {pipeline}: ",
    ]
    assert science.asked == {"cancel_run": [(RUN,)]}
