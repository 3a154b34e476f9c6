"""Schedules of job runs, as the SDK sees them."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError

DAY = 86400


@pytest.fixture
def simulator(own: Callable[..., Any]) -> Any:
    """An emulator whose clock a test moves, with runs that have no processes."""
    cloud = own(mode="simulated")
    cloud.emulator.set_rate(0)
    return cloud


def cron(expression: str, **fields: Any) -> Any:
    return models.ScheduleCronTrigger(cron_expression=expression, **fields)


def details(cloud: Any, job_id: str, trigger: Any, **fields: Any) -> Any:
    action = models.ScheduleHttpAction(
        action_details=models.CreateJobRunScheduleActionDetails(
            create_job_run_details=cloud.run_details(job_id, display_name="nightly")
        )
    )
    defaults = {
        "display_name": "every night",
        "project_id": cloud.emulator.project,
        "compartment_id": cloud.tenancy,
        "trigger": trigger,
        "action": action,
    }
    return models.CreateScheduleDetails(**{**defaults, **fields})


def settled(cloud: Any, response: Any) -> Any:
    """The work request behind a response, once it is over."""
    cloud.emulator.advance(1)
    identifier = response.headers["opc-work-request-id"]
    return cloud.data_science.get_work_request(identifier).data


def active_schedule(cloud: Any, trigger: Any, **fields: Any) -> Any:
    response = cloud.data_science.create_schedule(details(cloud, cloud.job().id, trigger, **fields))
    assert response.data.lifecycle_state == "CREATING"
    request = settled(cloud, response)
    assert (request.operation_type, request.status) == ("SCHEDULE_CREATE", "SUCCEEDED")
    return cloud.data_science.get_schedule(response.data.id).data


def runs(cloud: Any) -> list[Any]:
    listed = cloud.data_science.list_job_runs(
        cloud.tenancy, sort_by="timeCreated", sort_order="ASC", limit=100
    ).data
    return list(listed)


def test_a_schedule_creates_a_run_each_time(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("30 2 * * *"))
    assert (schedule.lifecycle_state, schedule.time_last_schedule_run) == ("ACTIVE", None)
    due = schedule.time_next_scheduled_run
    assert (due.hour, due.minute) == (2, 30)
    simulator.emulator.advance(3 * DAY)
    made = runs(simulator)
    assert [run.display_name for run in made] == ["nightly"] * 3
    assert [run.time_accepted for run in made] == [due + timedelta(days=n) for n in range(3)]
    assert {run.created_by for run in made} == {schedule.id}
    now = simulator.data_science.get_schedule(schedule.id).data
    assert now.time_last_schedule_run == due + timedelta(days=2)
    assert now.time_next_scheduled_run == due + timedelta(days=3)
    assert now.last_schedule_run_details == f"Job run {made[-1].id} created."


def test_what_a_schedule_does_is_in_the_journal(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 * * * *"))
    simulator.emulator.advance(3600)
    [entry] = simulator.emulator.journal(operation="CreateJobRun")
    assert (entry.principal, entry.status) == (schedule.id, 200)


def test_intervals_count_from_the_start(simulator: Any) -> None:
    start = datetime.fromtimestamp(simulator.emulator.now(), UTC) + timedelta(hours=1)
    trigger = models.ScheduleIntervalTrigger(frequency="HOURLY", interval=6, time_start=start)
    schedule = active_schedule(simulator, trigger)
    simulator.emulator.advance(DAY)
    times = [run.time_accepted for run in runs(simulator)]
    assert times[0] - start < timedelta(milliseconds=1)
    assert {later - sooner for sooner, later in itertools.pairwise(times)} == {timedelta(hours=6)}
    assert len(times) == 4
    assert schedule.trigger.frequency == "HOURLY"


def test_a_recurrence_is_that_of_a_calendar(simulator: Any) -> None:
    trigger = models.ScheduleICalTrigger(recurrence="RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9")
    active_schedule(simulator, trigger)
    simulator.emulator.advance(14 * DAY)
    days = [run.time_accepted.strftime("%a %H") for run in runs(simulator)]
    assert sorted(days) == ["Mon 09", "Mon 09", "Thu 09", "Thu 09"]


def test_nothing_fires_after_the_end(simulator: Any) -> None:
    end = datetime.fromtimestamp(simulator.emulator.now(), UTC) + timedelta(hours=3, minutes=30)
    schedule = active_schedule(simulator, cron("0 * * * *", time_end=end))
    simulator.emulator.advance(DAY)
    assert len(runs(simulator)) in {3, 4}
    assert simulator.data_science.get_schedule(schedule.id).data.time_next_scheduled_run is None


def test_an_inactive_schedule_does_not_fire_and_makes_up_for_nothing(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 * * * *"))
    client = simulator.data_science
    settled(simulator, client.deactivate_schedule(schedule.id))
    assert client.get_schedule(schedule.id).data.lifecycle_state == "INACTIVE"
    simulator.emulator.advance(DAY)
    assert runs(simulator) == []
    settled(simulator, client.activate_schedule(schedule.id))
    assert client.get_schedule(schedule.id).data.lifecycle_state == "ACTIVE"
    simulator.emulator.advance(3600)
    assert len(runs(simulator)) == 1


def test_a_changed_trigger_is_in_force_at_once(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 0 1 1 *"))
    client = simulator.data_science
    change = models.UpdateScheduleDetails(trigger=cron("*/10 * * * *"), display_name="often")
    settled(simulator, client.update_schedule(schedule.id, change))
    changed = client.get_schedule(schedule.id).data
    assert (changed.display_name, changed.lifecycle_state) == ("often", "ACTIVE")
    simulator.emulator.advance(3600)
    assert len(runs(simulator)) == 6


def test_a_schedule_that_is_changing_can_not_be_changed(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 0 * * *"))
    client = simulator.data_science
    deleting = client.delete_schedule(schedule.id)
    for call in (client.delete_schedule, client.activate_schedule, client.deactivate_schedule):
        with pytest.raises(ServiceError) as caught:
            call(schedule.id)
        assert (caught.value.status, caught.value.code) == (409, "IncorrectState")
    assert settled(simulator, deleting).status == "SUCCEEDED"
    assert client.get_schedule(schedule.id).data.lifecycle_state == "DELETED"


def test_what_can_not_be_created_is_told_in_the_schedule(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 * * * *"))
    job = schedule.action.action_details.create_job_run_details.job_id
    simulator.data_science.delete_job(job)
    simulator.emulator.advance(3600)
    now = simulator.data_science.get_schedule(schedule.id).data
    assert now.last_schedule_run_details.startswith("Job run creation failed: IncorrectState")
    assert now.lifecycle_state == "ACTIVE"


def test_a_schedule_needs_its_own_policy(simulator: Any) -> None:
    statements = simulator.emulator.policies()["statements"]
    simulator.emulator.set_policies([each for each in statements if "schedules" not in each])
    schedule = active_schedule(simulator, cron("0 * * * *"))
    simulator.emulator.advance(3600)
    now = simulator.data_science.get_schedule(schedule.id).data
    assert "NotAuthorizedOrNotFound" in now.last_schedule_run_details
    assert runs(simulator) == []


def test_schedules_are_listed_and_moved(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 0 * * *"), display_name="listed")
    client = simulator.data_science
    [found] = client.list_schedules(simulator.tenancy, display_name="listed").data
    assert found.id == schedule.id
    assert client.list_schedules(simulator.tenancy, lifecycle_state="INACTIVE").data == []
    target = simulator.identity.create_compartment(
        oci.identity.models.CreateCompartmentDetails(
            compartment_id=simulator.tenancy, name="team", description="a team"
        )
    ).data.id
    change = models.ChangeScheduleCompartmentDetails(compartment_id=target)
    settled(simulator, client.change_schedule_compartment(schedule.id, change))
    assert [each.id for each in client.list_schedules(target).data] == [schedule.id]


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (cron("* * *"), "trigger.cronExpression"),
        (cron("61 * * * *"), "trigger.cronExpression"),
        (cron("0 0 30 2 *"), "trigger"),
        (models.ScheduleICalTrigger(recurrence="FREQ=SOMETIMES"), "trigger.recurrence"),
        (models.ScheduleICalTrigger(recurrence="FREQ=SECONDLY"), "trigger.recurrence"),
        (models.ScheduleICalTrigger(recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"), "trigger"),
        (models.ScheduleIntervalTrigger(frequency="DAILY", interval=0), "trigger.interval"),
        (models.ScheduleIntervalTrigger(frequency="DAILY", interval=10**15), "trigger: leads"),
        (
            models.ScheduleIntervalTrigger(
                frequency="DAILY", interval=1, initial_jitter_in_minutes=10**17
            ),
            "trigger: leads",
        ),
        (
            cron(
                "0 0 * * *",
                time_start=datetime(2030, 1, 2, tzinfo=UTC),
                time_end=datetime(2030, 1, 1, tzinfo=UTC),
            ),
            "trigger.timeEnd",
        ),
    ],
)
def test_a_trigger_that_can_not_fire_is_refused(cloud: Any, trigger: Any, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        cloud.data_science.create_schedule(details(cloud, cloud.job().id, trigger))
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")
    assert caught.value.message.startswith(message)


def test_pipelines_are_not_here(cloud: Any) -> None:
    action = models.ScheduleHttpAction(
        action_details=models.CreatePipelineRunScheduleActionDetails(
            create_pipeline_run_details=models.CreatePipelineRunDetails(
                compartment_id=cloud.tenancy, pipeline_id="ocid1.datasciencepipeline.oc1..x"
            )
        )
    )
    with pytest.raises(ServiceError) as caught:
        cloud.data_science.create_schedule(details(cloud, "", cron("0 0 * * *"), action=action))
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")


def test_a_restart_keeps_schedules(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 * * * *"))
    simulator.emulator.restart()
    simulator.emulator.advance(3600)
    assert simulator.data_science.get_schedule(schedule.id).data.time_last_schedule_run
    assert len(runs(simulator)) == 1


def test_a_work_request_that_is_on_its_way_can_not_be_canceled(simulator: Any) -> None:
    schedule = active_schedule(simulator, cron("0 * * * *"))
    response = simulator.data_science.delete_schedule(schedule.id)
    with pytest.raises(ServiceError) as caught:
        simulator.data_science.cancel_work_request(response.headers["opc-work-request-id"])
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")
