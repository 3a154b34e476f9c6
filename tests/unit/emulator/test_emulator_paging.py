"""Pages, ranges, routes: the small parts of the HTTP side."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.calls import paging, ranges
from oci_emulator.calls.errors import ServiceError
from oci_emulator.schema.routing import Router, UnreadablePath
from oci_emulator.server import hosts
from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resource, Resources, Selection

QUERY = {"compartmentId": "c", "limit": 10}


def test_a_token_leads_back_to_its_position() -> None:
    assert paging.decode(paging.encode([1.5, 3], QUERY), QUERY) == [1.5, 3]


def test_a_token_is_good_for_another_page_size() -> None:
    token = paging.encode([1.5, 3], QUERY)
    assert paging.decode(token, {**QUERY, "limit": 5, "page": token}) == [1.5, 3]


def test_a_token_is_no_good_for_another_list() -> None:
    token = paging.encode([1.5, 3], QUERY)
    with pytest.raises(ServiceError, match=r"400 InvalidParameter: page: .* other parameters"):
        paging.decode(token, {**QUERY, "compartmentId": "d"})


@given(st.text(max_size=40))
def test_other_text_is_no_token(text: str) -> None:
    with pytest.raises(ServiceError, match="400 InvalidParameter: page:"):
        paging.decode(text, QUERY)


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_has_1_to_100(limit: int) -> None:
    with pytest.raises(ServiceError, match="limit: must be 1 to 100"):
        paging.limit_of({"limit": limit}, 50)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["created", "name"])
def test_pages_have_everything_once_though_times_and_names_are_equal(
    tmp_path: Path, sort: str, *, descending: bool
) -> None:
    database = Database(tmp_path / "state.db")
    resources = Resources(database)
    for number in range(25):
        resources.add(
            Resource(
                id=f"r{number:02}",
                kind="k",
                compartment="c",
                created=float(number // 10),
                body={"displayName": f"n{number % 3}"},
            )
        )
    seen: list[str] = []
    after: tuple[str | float, int] | None = None
    while True:
        page = resources.select(
            Selection(kind="k", sort=sort, descending=descending, after=after, limit=7)
        )
        if not page:
            break
        seen += [resource.id for resource in page]
        last = page[-1]
        after = (last.created if sort == "created" else last.name, last.seq)
    database.close()
    assert len(seen) == len(set(seen)) == 25
    keys = [(int(name[1:]) // 10) if sort == "created" else int(name[1:]) % 3 for name in seen]
    assert keys == sorted(keys, reverse=descending)


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [("bytes=0-9", 0, 10), ("bytes=90-", 90, 10), ("bytes=-5", 95, 5), ("bytes=50-999", 50, 50)],
)
def test_a_range_is_a_part(header: str, start: int, length: int) -> None:
    part = ranges.parse(header, 100)
    assert part is not None
    assert (part.start, part.length) == (start, length)
    assert part.header == f"bytes {start}-{start + length - 1}/100"


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=1-2,3-4", "lines=1-2", "bytes=a-b"])
def test_what_is_no_single_range_is_the_whole(header: str | None) -> None:
    assert ranges.parse(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=9-5", "bytes=-0"])
def test_a_range_outside_is_416(header: str) -> None:
    with pytest.raises(ServiceError, match="416 InvalidRange") as caught:
        ranges.parse(header, 100)
    assert caught.value.headers == {"content-range": "bytes */100"}


@pytest.fixture
def router() -> Router[str]:
    router: Router[str] = Router()
    router.add("GET", "/n", "namespace")
    router.add("GET", "/n/{namespaceName}/b/{bucketName}/o", "list")
    router.add("PUT", "/n/{namespaceName}/b/{bucketName}/o/{objectName}", "put")
    router.add("GET", "/20190101/jobs/{jobId}", "job")
    router.add("POST", "/20190101/jobs/{jobId}/actions/changeCompartment", "move")
    return router


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/n", ("namespace", [])),
        ("GET", "/n/", ("namespace", [])),
        ("GET", "/n/ns/b/bucket/o", ("list", ["ns", "bucket"])),
        ("PUT", "/n/ns/b/b/o/a%2Fb", ("put", ["ns", "b", "a/b"])),
        ("PUT", "/n/ns/b/b/o/a/b", ("put", ["ns", "b", "a/b"])),
        ("PUT", "/n/ns/b/b/o/dir/", ("put", ["ns", "b", "dir/"])),
        ("PUT", "/n/ns/b/b/o/..%2F..%2Fetc", ("put", ["ns", "b", "../../etc"])),
        ("PUT", "/n/ns/b/b/o/%C3%A9", ("put", ["ns", "b", "é"])),
        ("GET", "/20190101/jobs/a%2Fb", ("job", ["a/b"])),
        ("POST", "/20190101/jobs/x/actions/changeCompartment", ("move", ["x"])),
        ("POST", "/20190101/jobs/x/actions/other", None),
        ("DELETE", "/n", None),
        ("PUT", "/n/ns/b/b/o/", None),
        ("GET", "/20190101/jobs//", None),
        ("GET", "/", None),
    ],
)
def test_paths_are_split_before_they_are_unquoted(
    router: Router[str], method: str, path: str, found: tuple[str, list[str]] | None
) -> None:
    assert router.find(method, path) == found


@pytest.mark.parametrize("path", ["/20190101/jobs/%FF", "/20190101/jobs/a%00b"])
def test_a_path_must_be_text(router: Router[str], path: str) -> None:
    with pytest.raises(UnreadablePath):
        router.find("GET", path)


def test_a_path_has_one_target(router: Router[str]) -> None:
    with pytest.raises(ValueError, match="has a target already"):
        router.add("GET", "/20190101/jobs/{other}", "again")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("datascience.us-ashburn-1.oci.oraclecloud.com", True),
        ("ingestion.logging.us-ashburn-1.ds.oci.oraclecloud.com", True),
        ("OBJECTSTORAGE.us-ashburn-1.oraclecloud.com", True),
        ("oraclecloud.com", False),
        ("oraclecloud.com.example.org", False),
        ("evil-oraclecloud.com", False),
        ("127.0.0.1", False),
        ("a b.oraclecloud.com", False),
    ],
)
def test_the_proxy_knows_the_hosts_of_the_cloud(host: str, *, ours: bool) -> None:
    assert hosts.is_ours(host) is ours


@pytest.mark.parametrize(
    ("host", "service", "serves"),
    [
        ("datascience.us-ashburn-1.oci.oraclecloud.com", "datascience", True),
        ("logging.us-ashburn-1.ds.oci.oraclecloud.com", "logging", True),
        ("ingestion.logging.us-ashburn-1.oci.oraclecloud.com", "ingestion.logging", True),
        ("mine.objectstorage.us-ashburn-1.oci.customer-oci.com", "objectstorage", True),
        ("dataflow.us-ashburn-1.oci.oraclecloud.com", "datascience", False),
        ("datascience.us-phoenix-1.oci.oraclecloud.com", "datascience", False),
    ],
)
def test_a_host_serves_its_own_service_in_its_region(
    host: str, service: str, *, serves: bool
) -> None:
    assert hosts.serves(host, service, "us-ashburn-1") is serves
