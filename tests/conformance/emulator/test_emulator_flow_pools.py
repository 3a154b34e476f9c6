"""Private endpoints and pools of Data Flow, and the runs that use them."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from oci.data_flow import models
from oci.exceptions import ServiceError

SHAPE = "VM.Standard.E4.Flex"


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Status and code of the error that a call ends with."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


@pytest.fixture
def still(own_flow: Any) -> Any:
    """Data Flow whose clock a test moves."""
    flow = own_flow(profile="realistic")
    flow.emulator.set_rate(0)
    return flow


def endpoint_details(flow: Any, **fields: Any) -> Any:
    defaults = {
        "compartment_id": flow.cloud.tenancy,
        "display_name": "endpoint",
        "dns_zones": ["example.com"],
        "subnet_id": "ocid1.subnet.oc1.iad.a",
        "max_host_count": 300,
    }
    return models.CreatePrivateEndpointDetails(**{**defaults, **fields})


def pool_details(flow: Any, **fields: Any) -> Any:
    defaults = {
        "compartment_id": flow.cloud.tenancy,
        "display_name": "pool",
        "configurations": [models.PoolConfig(shape=SHAPE, min=2, max=4)],
    }
    return models.CreatePoolDetails(**{**defaults, **fields})


def test_the_way_of_a_private_endpoint(flow: Any) -> None:
    client = flow.client
    made = client.create_private_endpoint(endpoint_details(flow))
    assert made.data.lifecycle_state in {"CREATING", "ACTIVE"}
    assert made.headers["location"].endswith(f"/privateEndpoints/{made.data.id}")
    request = flow.worked(made)
    assert (request.operation, request.status) == ("CREATE_PRIVATE_ENDPOINT", "SUCCEEDED")
    assert (request.resources[0].action_type, request.resources[0].resource_id) == (
        "CREATED",
        made.data.id,
    )
    endpoint = client.get_private_endpoint(made.data.id).data
    assert (endpoint.lifecycle_state, endpoint.max_host_count) == ("ACTIVE", 512)
    update = models.UpdatePrivateEndpointDetails(display_name="new", nsg_ids=["n"])
    assert flow.worked(client.update_private_endpoint(update, endpoint.id)).status == "SUCCEEDED"
    endpoint = client.get_private_endpoint(endpoint.id).data
    assert (endpoint.display_name, endpoint.nsg_ids) == ("new", ["n"])
    assert (endpoint.lifecycle_state, endpoint.dns_zones) == ("ACTIVE", ["example.com"])
    target = "ocid1.compartment.oc1..endpoints"
    flow.emulator.add_compartment(target)
    move = models.ChangePrivateEndpointCompartmentDetails(compartment_id=target)
    flow.worked(client.change_private_endpoint_compartment(endpoint.id, move))
    [listed] = client.list_private_endpoints(target, display_name_starts_with="ne").data.items
    assert (listed.id, listed.compartment_id) == (endpoint.id, target)
    assert flow.worked(client.delete_private_endpoint(endpoint.id)).operation == (
        "DELETE_PRIVATE_ENDPOINT"
    )
    assert client.get_private_endpoint(endpoint.id).data.lifecycle_state == "DELETED"
    again = partial(client.delete_private_endpoint, endpoint.id)
    assert refusal(again) == (409, "IncorrectState")


@pytest.mark.parametrize("fields", [{"dns_zones": []}, {"max_host_count": 0}])
def test_a_private_endpoint_that_breaks_a_rule(flow: Any, fields: dict[str, Any]) -> None:
    create = partial(flow.client.create_private_endpoint, endpoint_details(flow, **fields))
    assert refusal(create)[0] == 400


def test_a_run_shows_its_private_endpoint(still: Any) -> None:
    client = still.client
    endpoint = client.create_private_endpoint(endpoint_details(still, nsg_ids=["n"])).data
    application = still.application(private_endpoint_id=endpoint.id)
    assert refusal(lambda: still.start(application.id)) == (409, "IncorrectState")
    still.emulator.advance(60)
    run = still.start(application.id)
    assert run.private_endpoint_id == endpoint.id
    assert run.private_endpoint_dns_zones == ["example.com"]
    assert (run.private_endpoint_max_host_count, run.private_endpoint_nsg_ids) == (512, ["n"])
    assert run.private_endpoint_subnet_id == endpoint.subnet_id
    delete = partial(client.delete_private_endpoint, endpoint.id)
    assert refusal(delete) == (409, "IncorrectState")
    still.emulator.advance(1000)
    assert client.get_run(run.id).data.lifecycle_state == "SUCCEEDED"
    assert delete().status == 202


@pytest.mark.parametrize("name", ["private_endpoint_id", "pool_id"])
def test_what_is_not_there_is_refused(flow: Any, name: str) -> None:
    unknown = {name: "ocid1.unknown.oc1..none"}
    assert refusal(lambda: flow.application(**unknown))[0] == 404
    application = flow.application()
    update = models.UpdateApplicationDetails(**unknown)
    assert refusal(lambda: flow.client.update_application(update, application.id))[0] == 404
    if name == "pool_id":
        assert refusal(lambda: flow.start(application.id, **unknown))[0] == 404


def test_the_way_of_a_pool(still: Any) -> None:
    client = still.client
    made = client.create_pool(pool_details(still))
    assert made.data.lifecycle_state == "CREATING"
    assert made.headers["location"].endswith(f"/pools/{made.data.id}")

    def after(response: Any) -> str:
        still.emulator.advance(15)
        if "opc-work-request-id" in response.headers:
            identifier = response.headers["opc-work-request-id"]
            assert client.get_work_request(identifier).data.status == "SUCCEEDED"
        return str(client.get_pool(made.data.id).data.lifecycle_state)

    pool = made.data.id
    assert after(made) == "ACTIVE"
    assert client.get_pool(pool).data.pool_metrics.time_last_started is not None
    assert refusal(lambda: client.start_pool(pool)) == (409, "IncorrectState")
    stop = client.stop_pool(pool)
    assert client.get_pool(pool).data.lifecycle_state == "STOPPING"
    assert after(stop) == "STOPPED"
    update = client.update_pool(models.UpdatePoolDetails(idle_timeout_in_minutes=5), pool)
    assert client.get_pool(pool).data.lifecycle_state == "UPDATING"
    assert after(update) == "STOPPED"
    assert client.get_pool(pool).data.idle_timeout_in_minutes == 5
    target = "ocid1.compartment.oc1..pools"
    still.emulator.add_compartment(target)
    client.change_pool_compartment(pool, models.ChangePoolCompartmentDetails(compartment_id=target))
    assert after(client.start_pool(pool)) == "ACTIVE"
    [listed] = client.list_pools(target, lifecycle_state="ACTIVE").data.items
    assert listed.id == pool
    moved = models.ChangePoolCompartmentDetails(compartment_id=still.cloud.tenancy)
    move = partial(client.change_pool_compartment, pool, moved)
    assert refusal(move) == (409, "IncorrectState")
    assert after(client.delete_pool(pool)) == "DELETED"


@pytest.mark.parametrize(
    "fields",
    [
        {"configurations": []},
        {"configurations": [models.PoolConfig(shape=SHAPE)] * 4},
        {"configurations": [models.PoolConfig()]},
        {"configurations": [models.PoolConfig(shape="VM.Huge")]},
        {"configurations": [models.PoolConfig(shape=SHAPE, min=3, max=2)]},
        {"configurations": [models.PoolConfig(shape=SHAPE, min=0)]},
        {"schedules": [models.PoolSchedule(day_of_week="SUNDAY", start_time=24)]},
        {"idle_timeout_in_minutes": 0},
    ],
)
def test_a_pool_that_breaks_a_rule(flow: Any, fields: dict[str, Any]) -> None:
    assert refusal(lambda: flow.client.create_pool(pool_details(flow, **fields)))[0] == 400


def test_a_run_waits_for_its_pool(still: Any) -> None:
    still.emulator.set_rules(pool_after_creation="ACCEPTED", pool_start_by_run="wait")
    client = still.client
    created = client.create_pool(pool_details(still))
    pool = created.data
    assert (pool.lifecycle_state, "opc-work-request-id" in created.headers) == ("ACCEPTED", False)
    run = still.start(still.application(pool_id=pool.id).id)
    still.emulator.advance(1000)
    waiting = client.get_run(run.id).data
    assert (waiting.lifecycle_state, waiting.lifecycle_details) == (
        "ACCEPTED",
        "The run waits for its pool.",
    )
    assert refusal(lambda: client.delete_pool(pool.id)) == (409, "IncorrectState")
    [listed] = client.list_runs(still.cloud.tenancy, pool_id=pool.id).data
    assert listed.id == run.id
    client.start_pool(pool.id)
    still.emulator.advance(20)
    assert still.ended(run.id).lifecycle_state == "SUCCEEDED"


def test_a_run_starts_its_pool(still: Any) -> None:
    still.emulator.set_rules(pool_after_creation="ACCEPTED")
    client = still.client
    pool = client.create_pool(pool_details(still)).data
    run = still.start(still.application().id, pool_id=pool.id)
    assert client.get_pool(pool.id).data.lifecycle_state == "CREATING"
    assert client.get_pool(pool.id).data.pool_metrics.time_last_used is not None
    still.emulator.advance(1000)
    assert client.get_pool(pool.id).data.lifecycle_state == "ACTIVE"
    assert client.get_run(run.id).data.lifecycle_state == "SUCCEEDED"


def test_a_stopped_pool_cancels_its_runs(still: Any) -> None:
    client = still.client
    pool = client.create_pool(pool_details(still)).data
    still.emulator.advance(20)
    tags = {"emulator.plan": json.dumps({"inProgress": 10000})}
    run = still.start(still.application(pool_id=pool.id).id, freeform_tags=tags)
    still.emulator.advance(500)
    assert client.get_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    client.stop_pool(pool.id)
    assert client.get_run(run.id).data.lifecycle_state == "CANCELING"
    still.emulator.advance(60)
    assert client.get_run(run.id).data.lifecycle_state == "CANCELED"


@pytest.mark.parametrize("value", ["refuse", "accept"])
def test_whether_a_pool_must_have_the_shapes_is_a_rule(own_flow: Any, value: str) -> None:
    flow = own_flow(rules={"pool_shape": value})
    pool = flow.client.create_pool(pool_details(flow)).data
    shapes = {"driver_shape": "VM.Standard2.1", "executor_shape": "VM.Standard2.1"}
    if value == "accept":
        assert flow.application(pool_id=pool.id, **shapes).pool_id == pool.id
    else:
        assert refusal(lambda: flow.application(pool_id=pool.id, **shapes))[0] == 400
    assert flow.application(pool_id=pool.id).pool_id == pool.id
