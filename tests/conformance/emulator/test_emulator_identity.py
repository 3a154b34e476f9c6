"""Identity, as the SDK sees it."""

from typing import Any

import pytest
from oci.exceptions import ServiceError
from oci.identity import models


def create(cloud: Any, parent: str, name: str) -> Any:
    details = models.CreateCompartmentDetails(
        compartment_id=parent, name=name, description="a compartment"
    )
    return cloud.identity.create_compartment(details).data


def test_compartments_are_a_tree(cloud: Any) -> None:
    parent = create(cloud, cloud.tenancy, "tree")
    child = create(cloud, parent.id, "branch")
    assert cloud.identity.get_compartment(child.id).data.compartment_id == parent.id
    children = cloud.identity.list_compartments(parent.id).data
    assert [found.id for found in children] == [child.id]
    everything = cloud.identity.list_compartments(
        cloud.tenancy, compartment_id_in_subtree=True, limit=100
    ).data
    assert {parent.id, child.id} <= {found.id for found in everything}
    named = cloud.identity.list_compartments(cloud.tenancy, name="tree").data
    assert [found.id for found in named] == [parent.id]
    with pytest.raises(ServiceError) as caught:
        create(cloud, cloud.tenancy, "tree")
    assert caught.value.code == "CompartmentAlreadyExists"


def test_a_resource_lives_in_a_compartment_that_was_made(cloud: Any) -> None:
    compartment = create(cloud, cloud.tenancy, "home")
    job = cloud.job(None, compartment_id=compartment.id)
    assert [found.id for found in cloud.data_science.list_jobs(compartment.id).data] == [job.id]


def test_a_compartment_can_have_a_given_ocid(cloud: Any) -> None:
    given = "ocid1.compartment.oc1..aaaagiven"
    cloud.emulator.add_compartment(given, name="given")
    cloud.emulator.add_compartment(given, name="given")
    assert cloud.identity.get_compartment(given).data.name == "given"


def test_the_tenancy_is_the_root(cloud: Any) -> None:
    assert cloud.identity.get_tenancy(cloud.tenancy).data.home_region_key == "IAD"
    assert cloud.identity.get_compartment(cloud.tenancy).data.id == cloud.tenancy
    for call in (cloud.identity.get_tenancy, cloud.identity.list_region_subscriptions):
        with pytest.raises(ServiceError) as caught:
            call("ocid1.tenancy.oc1..other")
        assert caught.value.status == 404


def test_users_regions_and_availability_domains(cloud: Any) -> None:
    assert cloud.identity.get_user(cloud.emulator.user).data.name == "admin"
    regions = {region.name: region.key for region in cloud.identity.list_regions().data}
    assert regions["us-ashburn-1"] == "IAD"
    [home] = cloud.identity.list_region_subscriptions(cloud.tenancy).data
    assert (home.region_name, home.is_home_region) == ("us-ashburn-1", True)
    domains = cloud.identity.list_availability_domains(cloud.tenancy).data
    assert [domain.name[-4:] for domain in domains] == ["AD-1", "AD-2", "AD-3"]
