"""Who may do what in Data Flow: by the statements that Oracle documents, and others."""

from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.data_flow import models
from oci.exceptions import ServiceError


def allowed(call: Callable[[], Any]) -> bool:
    """Whether a call isn't refused."""
    try:
        call()
    except ServiceError as error:
        if (error.status, error.code) == (404, "NotAuthorizedOrNotFound"):
            return False
        raise
    return True


@pytest.fixture(scope="module")
def clients(flow: Any) -> Callable[[str], Any]:
    """Makes a client for a new user in a group."""

    def make(group: str) -> Any:
        user = flow.emulator.add_user(group, [group])
        config = oci.config.from_file(str(user.config))
        return oci.data_flow.DataFlowClient(
            config,
            service_endpoint=flow.emulator.http,
            retry_strategy=oci.retry.NoneRetryStrategy(),
        )

    return make


def test_an_administrator_of_data_flow_may_do_everything(flow: Any, clients: Any) -> None:
    admin = clients("dataflow-admin")
    application = flow.application()
    run = flow.start(application.id)
    assert admin.get_run(run.id).data.id == run.id
    assert allowed(lambda: admin.delete_run(run.id))
    update = models.UpdateApplicationDetails(display_name="x")
    assert allowed(lambda: admin.update_application(update, application.id))
    assert allowed(lambda: admin.delete_application(flow.application().id))


def test_a_user_may_end_what_is_their_own(flow: Any, clients: Any) -> None:
    user = clients("dataflow-users")
    others = flow.application(display_name="of the administrator")
    own = user.create_application(flow.details()).data
    assert own.owner_principal_id != others.owner_principal_id
    assert allowed(lambda: user.create_run(flow.run_details(others.id)))
    assert allowed(lambda: user.get_application(others.id))
    assert not allowed(lambda: user.delete_application(others.id))
    run = user.create_run(flow.run_details(own.id)).data
    assert not allowed(lambda: user.delete_run(flow.start(others.id).id))
    assert allowed(lambda: user.delete_run(run.id))
    flow.ended(run.id)
    assert allowed(lambda: user.delete_application(user.create_application(flow.details()).data.id))


def test_others_may_nothing(flow: Any, clients: Any) -> None:
    nobody = clients("nobody")
    tenancy = flow.cloud.tenancy
    run = flow.start(flow.application().id)
    assert not allowed(lambda: nobody.create_application(flow.details()))
    assert not allowed(lambda: nobody.list_runs(tenancy))
    assert not allowed(lambda: nobody.get_run(run.id))
    assert not allowed(lambda: nobody.list_run_logs(run.id))


def test_a_run_has_the_rights_of_who_created_it(flow: Any, clients: Any) -> None:
    user = clients("dataflow-users")
    application = flow.application()
    of_user = flow.ended(user.create_run(flow.run_details(application.id)).data.id)
    of_administrator = flow.ended(flow.start(application.id).id)
    assert of_administrator.lifecycle_state == "SUCCEEDED"
    assert of_user.lifecycle_state == "FAILED", "users may not read objects by the defaults"
    assert "with the rights of the run's owner" in of_user.lifecycle_details
    before = flow.emulator.policies()["statements"]
    statement = "Allow group dataflow-users to read objects in tenancy"
    flow.emulator.set_policies([*before, f"{statement} where target.bucket.name = 'code'"])
    again = flow.ended(user.create_run(flow.run_details(application.id)).data.id)
    flow.emulator.set_policies(before)
    assert again.lifecycle_state == "SUCCEEDED"
