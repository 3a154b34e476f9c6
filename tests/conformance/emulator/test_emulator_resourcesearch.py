"""Resource Search, as the SDK sees it."""

from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.resource_search import ResourceSearchClient, models


@pytest.fixture(scope="module")
def jobs(cloud: Any) -> dict[str, str]:
    """Name -> OCID of some jobs."""
    return {
        name: cloud.job(display_name=name, freeform_tags={"team": team}).id
        for name, team in {"fraud-north": "a", "fraud-south": "b", "churn": "a"}.items()
    }


def items(cloud: Any, query: str, **options: Any) -> list[Any]:
    details = models.StructuredSearchDetails(query=query)
    client = cloud.client(ResourceSearchClient)
    return list(client.search_resources(details, **options).data.items)


def names(cloud: Any, query: str) -> list[str]:
    return [item.display_name for item in items(cloud, query)]


def test_a_resource_is_found_by_its_ocid(cloud: Any, jobs: dict[str, str]) -> None:
    [found] = items(cloud, f"query all resources where identifier = '{jobs['churn']}'")
    assert (found.resource_type, found.display_name) == ("DataScienceJob", "churn")
    assert (found.compartment_id, found.lifecycle_state) == (cloud.tenancy, "ACTIVE")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("displayName = 'CHURN'", {"churn"}),
        ("displayName == 'CHURN'", set()),
        ("displayName =~ 'fraud'", {"fraud-north", "fraud-south"}),
        ("displayName =~ 'fraud' && displayName != 'fraud-north'", {"fraud-south"}),
        ("displayName = 'churn' || displayName = 'fraud-south'", {"churn", "fraud-south"}),
        (
            "displayName =~ 'r' && (freeformTags.key = 'team' && freeformTags.value = 'a')",
            {"churn", "fraud-north"},
        ),
        ("definedTags.namespace = 'Oracle-Tags' && displayName = 'churn'", {"churn"}),
        ("lifecycleState = 'DELETED' && displayName = 'churn'", set()),
    ],
)
def test_conditions(cloud: Any, jobs: dict[str, str], where: str, found: set[str]) -> None:
    assert set(names(cloud, f"query datasciencejob resources where {where}")) == found


def test_the_newest_comes_first_unless_sorted(cloud: Any, jobs: dict[str, str]) -> None:
    query = "query datasciencejob resources where displayName =~ 'fraud'"
    assert names(cloud, query) == ["fraud-south", "fraud-north"]
    assert names(cloud, f"{query} sorted by displayName asc") == ["fraud-north", "fraud-south"]


def test_a_text_is_found_in_any_attribute(cloud: Any, jobs: dict[str, str]) -> None:
    details = models.FreeTextSearchDetails(text=jobs["fraud-north"])
    found = cloud.client(ResourceSearchClient).search_resources(details).data.items
    assert [item.display_name for item in found] == ["fraud-north"]
    assert names(cloud, "query datasciencejob resources matching 'south'") == ["fraud-south"]


def test_pages(cloud: Any, jobs: dict[str, str]) -> None:
    query = "query datasciencejob resources where displayName =~ 'fraud'"
    details = models.StructuredSearchDetails(query=query)
    client = cloud.client(ResourceSearchClient)
    first = client.search_resources(details, limit=1)
    second = client.search_resources(details, limit=1, page=first.next_page)
    both = [*first.data.items, *second.data.items]
    assert [item.display_name for item in both] == ["fraud-south", "fraud-north"]
    assert second.next_page is None


@pytest.mark.parametrize(
    "query",
    [
        "datasciencejob",
        "query spaceship resources",
        "query job resources where",
        "query datasciencejob resources where displayName like 'a'",
        "query datasciencejob resources where " + "(" * 100,
        "query datasciencejob resources where freeformTags = 'a'",
        "query datasciencejob resources sorted timeCreated",
        "query datasciencejob resources where displayName = ?",
    ],
)
def test_a_query_that_is_none_is_refused(cloud: Any, jobs: dict[str, str], query: str) -> None:
    with pytest.raises(ServiceError) as caught:
        items(cloud, query)
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")
    assert caught.value.message.startswith("query: ")


def test_one_finds_only_what_one_may_inspect(own: Callable[..., Any]) -> None:
    cloud = own()
    cloud.job(display_name="secret")
    stranger = cloud.emulator.add_user("stranger", groups=["nobody"])
    client = ResourceSearchClient(
        oci.config.from_file(str(stranger.config)), service_endpoint=cloud.emulator.http
    )
    details = models.StructuredSearchDetails(query="query all resources")
    assert client.search_resources(details).data.items == []


def test_a_new_resource_is_found_late_in_the_realistic_profile(own: Callable[..., Any]) -> None:
    cloud = own(profile="realistic")
    query = f"query all resources where identifier = '{cloud.job().id}'"
    assert items(cloud, query) == []
    cloud.emulator.advance(60)
    assert len(items(cloud, query)) == 1


def test_a_search_finds_new_tags_late_in_the_realistic_profile(own: Callable[..., Any]) -> None:
    cloud = own(profile="realistic")
    cloud.emulator.set_rate(0)
    job = cloud.job(freeform_tags={"owner": "first"})
    cloud.emulator.advance(60)
    cloud.data_science.update_job(
        job.id, oci.data_science.models.UpdateJobDetails(freeform_tags={"owner": "second"})
    )

    def found(owner: str) -> int:
        tag = f"freeformTags.key = 'owner' && freeformTags.value = '{owner}'"
        return len(items(cloud, f"query DataScienceJob resources where {tag}"))

    assert (found("first"), found("second")) == (1, 0)
    cloud.emulator.advance(10)
    assert (found("first"), found("second")) == (0, 1)


def test_resource_types_say_what_can_be_asked(cloud: Any) -> None:
    client = cloud.client(ResourceSearchClient)
    listed = {each.name for each in client.list_resource_types().data}
    assert {"DataScienceJob", "DataScienceJobRun", "LogGroup", "Log", "Bucket"} <= listed
    fields = client.get_resource_type("datasciencejob").data.fields
    assert "displayName" in {field.field_name for field in fields}
    with pytest.raises(ServiceError) as caught:
        client.get_resource_type("spaceship")
    assert caught.value.status == 404
