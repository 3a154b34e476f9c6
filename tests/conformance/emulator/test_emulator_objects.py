"""Object Storage, as the SDK sees it."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.object_storage import models


class Bucket:
    """A bucket of a test's own."""

    def __init__(self, cloud: Any, name: str) -> None:
        self.client = cloud.object_storage
        self.namespace = cloud.emulator.namespace
        self.name = name
        self.tenancy = cloud.tenancy

    def put(self, name: str, content: Any = b"content", **options: Any) -> Any:
        return self.client.put_object(self.namespace, self.name, name, content, **options)

    def get(self, name: str, **options: Any) -> Any:
        return self.client.get_object(self.namespace, self.name, name, **options)

    def list(self, **options: Any) -> Any:
        return self.client.list_objects(self.namespace, self.name, **options).data


@pytest.fixture
def bucket(cloud: Any, request: pytest.FixtureRequest) -> Bucket:
    bucket = Bucket(cloud, f"bucket-{abs(hash(request.node.nodeid))}")
    details = models.CreateBucketDetails(name=bucket.name, compartment_id=cloud.tenancy)
    bucket.client.create_bucket(bucket.namespace, details)
    return bucket


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


def names(listing: Any) -> list[str]:
    return [entry.name for entry in listing.objects]


@pytest.mark.parametrize(
    "name", ["plain", "a/b/c.txt", "with blank", "é/ü", "..", "../../etc/passwd", "a%2Fb", "dir/"]
)
def test_an_object_comes_back_under_any_name(bucket: Bucket, name: str) -> None:
    content = name.encode() * 3
    bucket.put(name, content)
    assert bucket.get(name).data.content == content
    assert names(bucket.list()) == [name]


def test_an_object_has_its_headers(bucket: Bucket) -> None:
    content = b"x" * 1000
    digest = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    put = bucket.put(
        "o",
        content,
        content_type="text/plain",
        content_encoding="gzip",
        content_md5=digest,
        opc_meta={"Color": "red"},
    )
    assert put.headers["opc-content-md5"] == digest
    for response in (
        bucket.get("o"),
        bucket.client.head_object(bucket.namespace, bucket.name, "o"),
    ):
        headers = response.headers
        assert headers["etag"] == put.headers["etag"]
        assert headers["content-md5"] == digest
        assert headers["content-length"] == "1000"
        assert headers["content-type"] == "text/plain"
        assert headers["content-encoding"] == "gzip"
        assert headers["opc-meta-color"] == "red"
        assert headers["last-modified"]


def test_a_wrong_md5_leaves_nothing(bucket: Bucket) -> None:
    wrong = b64encode(b"0" * 16).decode()
    assert refusal(lambda: bucket.put("o", b"x", content_md5=wrong)) == (400, "UnmatchedContentMD5")
    assert refusal(lambda: bucket.get("o")) == (404, "ObjectNotFound")


def test_a_range_is_a_part(bucket: Bucket) -> None:
    bucket.put("o", bytes(range(100)))
    part = bucket.get("o", range="bytes=10-19")
    assert (part.status, part.data.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/100"
    assert refusal(lambda: bucket.get("o", range="bytes=100-"))[0] == 416


def test_an_object_is_written_and_read_under_conditions(bucket: Bucket) -> None:
    etag = bucket.put("o", b"1", if_none_match="*").headers["etag"]
    assert refusal(lambda: bucket.put("o", b"2", if_none_match="*")) == (412, "IfNoneMatchFailed")
    assert refusal(lambda: bucket.put("o", b"2", if_match="other")) == (412, "IfMatchFailed")
    assert refusal(lambda: bucket.put("new", b"2", if_match="*")) == (412, "IfMatchFailed")
    newer = bucket.put("o", b"2", if_match=etag).headers["etag"]
    assert refusal(lambda: bucket.get("o", if_match=etag)) == (412, "IfMatchFailed")
    assert bucket.get("o", if_match=newer).data.content == b"2"
    assert refusal(lambda: bucket.get("o", if_none_match=newer))[0] == 304
    delete = bucket.client.delete_object
    assert refusal(lambda: delete(bucket.namespace, bucket.name, "o", if_match=etag)) == (
        412,
        "IfMatchFailed",
    )
    delete(bucket.namespace, bucket.name, "o")
    assert refusal(lambda: bucket.get("o")) == (404, "ObjectNotFound")


def test_objects_are_listed_by_prefix_and_delimiter(bucket: Bucket) -> None:
    for name in ("a", "dir/1", "dir/2", "dir/sub/3", "dir/sub/4", "dir0", "z"):
        bucket.put(name)
    assert names(bucket.list()) == ["a", "dir/1", "dir/2", "dir/sub/3", "dir/sub/4", "dir0", "z"]
    top = bucket.list(delimiter="/")
    assert (names(top), top.prefixes) == (["a", "dir0", "z"], ["dir/"])
    inner = bucket.list(delimiter="/", prefix="dir/")
    assert (names(inner), inner.prefixes) == (["dir/1", "dir/2"], ["dir/sub/"])
    assert names(bucket.list(prefix="dir")) == ["dir/1", "dir/2", "dir/sub/3", "dir/sub/4", "dir0"]
    assert names(bucket.list(start="dir/2", end="dir0")) == ["dir/2", "dir/sub/3", "dir/sub/4"]
    assert names(bucket.list(start_after="dir/2", end="z")) == ["dir/sub/3", "dir/sub/4", "dir0"]


def test_a_list_goes_on_where_it_ended(bucket: Bucket) -> None:
    made = [f"{kind}/{number:02}" for kind in "abc" for number in range(10)]
    for name in made:
        bucket.put(name)
    listing = bucket.list(limit=7)
    found = names(listing)
    while listing.next_start_with is not None:
        listing = bucket.list(limit=7, start=listing.next_start_with)
        found += names(listing)
    assert found == made
    first = bucket.list(limit=2, delimiter="/")
    assert (first.prefixes, first.next_start_with) == (["a/", "b/"], "c/00")
    everything = oci.pagination.list_call_get_all_results(
        bucket.client.list_objects, bucket.namespace, bucket.name, limit=4
    ).data
    assert names(everything) == made


def test_a_list_shows_the_fields_that_are_asked_for(bucket: Bucket) -> None:
    bucket.put("o", b"12345")
    [plain] = bucket.list().objects
    assert (plain.name, plain.size, plain.md5) == ("o", None, None)
    [full] = bucket.list(fields="name,size,md5,etag,timeCreated,timeModified").objects
    assert full.size == 5
    assert full.time_created == full.time_modified
    assert full.etag


def test_a_multipart_upload_becomes_an_object(bucket: Bucket) -> None:
    content = bytes(range(256)) * 8192
    manager = oci.object_storage.UploadManager(bucket.client, allow_parallel_uploads=True)
    response = manager.upload_stream(
        bucket.namespace, bucket.name, "large", io.BytesIO(content), part_size=512 * 1024
    )
    got = bucket.get("large")
    assert got.data.content == content
    assert got.headers["opc-multipart-md5"] == response.headers["opc-multipart-md5"]
    assert got.headers["opc-multipart-md5"].endswith("-4")
    assert "content-md5" not in got.headers
    listed = bucket.client.list_multipart_uploads(bucket.namespace, bucket.name).data
    assert listed == []


def test_parts_are_chosen_and_excluded(bucket: Bucket) -> None:
    client, where = bucket.client, (bucket.namespace, bucket.name)
    upload = client.create_multipart_upload(
        *where, models.CreateMultipartUploadDetails(object="o", content_type="text/plain")
    ).data
    parts = {}
    for number in (1, 2, 3):
        response = client.upload_part(*where, "o", upload.upload_id, number, b"%d" % number)
        parts[number] = response.headers["etag"]
    listed = client.list_multipart_upload_parts(*where, "o", upload.upload_id).data
    assert [(part.part_number, part.etag) for part in listed] == list(parts.items())

    def commit(numbers: list[int], excluded: list[int]) -> Any:
        details = models.CommitMultipartUploadDetails(
            parts_to_commit=[
                models.CommitMultipartUploadPartDetails(part_num=number, etag=parts[number])
                for number in numbers
            ],
            parts_to_exclude=excluded,
        )
        return client.commit_multipart_upload(*where, "o", upload.upload_id, details)

    assert refusal(lambda: commit([1, 3], [])) == (400, "InvalidUploadPart")
    assert refusal(lambda: commit([], [1, 2, 3])) == (400, "InvalidUploadPart")
    commit([3, 1], [2])
    assert bucket.get("o").data.content == b"13"
    assert bucket.get("o").headers["content-type"] == "text/plain"
    assert refusal(lambda: commit([1], [2, 3])) == (404, "NoSuchUpload")


def test_an_upload_can_be_aborted(bucket: Bucket) -> None:
    client, where = bucket.client, (bucket.namespace, bucket.name)
    details = models.CreateMultipartUploadDetails(object="o")
    upload = client.create_multipart_upload(*where, details).data
    client.upload_part(*where, "o", upload.upload_id, 1, b"x")
    assert refusal(lambda: client.upload_part(*where, "o", upload.upload_id, 0, b"x"))[0] == 400
    assert refusal(lambda: client.delete_bucket(*where)) == (409, "BucketNotEmpty")
    client.abort_multipart_upload(*where, "o", upload.upload_id)
    assert refusal(lambda: client.upload_part(*where, "o", upload.upload_id, 1, b"x")) == (
        404,
        "NoSuchUpload",
    )
    client.delete_bucket(*where)


def test_buckets_live(bucket: Bucket) -> None:
    client = bucket.client
    got = client.get_bucket(bucket.namespace, bucket.name).data
    assert (got.name, got.public_access_type) == (bucket.name, "NoPublicAccess")
    assert got.approximate_count is None
    bucket.put("o", b"12345")
    counted = client.get_bucket(
        bucket.namespace, bucket.name, fields=["approximateCount", "approximateSize"]
    ).data
    assert (counted.approximate_count, counted.approximate_size) == (1, 5)
    head = client.head_bucket(bucket.namespace, bucket.name)
    assert head.headers["etag"] == got.etag
    details = models.UpdateBucketDetails(metadata={"a": "b"})
    assert client.update_bucket(bucket.namespace, bucket.name, details).data.metadata == {"a": "b"}
    assert refusal(
        lambda: client.update_bucket(bucket.namespace, bucket.name, details, if_match=got.etag)
    ) == (412, "IfMatchFailed")
    summaries = client.list_buckets(bucket.namespace, bucket.tenancy).data
    assert bucket.name in {summary.name for summary in summaries}
    assert refusal(lambda: client.delete_bucket(bucket.namespace, bucket.name)) == (
        409,
        "BucketNotEmpty",
    )


def test_what_is_not_there_is_not_found(bucket: Bucket) -> None:
    client = bucket.client
    assert refusal(lambda: client.get_bucket(bucket.namespace, "none")) == (404, "BucketNotFound")
    assert refusal(lambda: client.get_bucket("other", bucket.name)) == (404, "NamespaceNotFound")
    assert refusal(lambda: client.head_object(bucket.namespace, bucket.name, "none"))[0] == 404


@pytest.mark.parametrize("name", ["a b", "é", "-a", "a/b", "x" * 257])
def test_bucket_names_are_plain(bucket: Bucket, name: str) -> None:
    details = models.CreateBucketDetails(name=name, compartment_id=bucket.tenancy)
    assert refusal(lambda: bucket.client.create_bucket(bucket.namespace, details)) == (
        400,
        "InvalidBucketName",
    )


def test_a_bucket_is_made_once_and_without_versions(bucket: Bucket) -> None:
    same = models.CreateBucketDetails(name=bucket.name, compartment_id=bucket.tenancy)
    create = bucket.client.create_bucket
    assert refusal(lambda: create(bucket.namespace, same)) == (409, "BucketAlreadyExists")
    versioned = models.CreateBucketDetails(
        name="versioned", compartment_id=bucket.tenancy, versioning="Enabled"
    )
    assert refusal(lambda: create(bucket.namespace, versioned)) == (501, "NotImplemented")


def test_contents_lie_in_files_that_the_emulator_names(cloud: Any, bucket: Bucket) -> None:
    bucket.put("../../../escape", b"unique content of this test")
    state = cloud.emulator.state
    holders = [
        path
        for path in state.parent.rglob("*")
        if path.is_file() and path.read_bytes() == b"unique content of this test"
    ]
    assert len(holders) == 1
    assert holders[0].is_relative_to(state / "content")
    assert list(state.parent.rglob("*escape*")) == []


def rename(bucket: Bucket, source: str, target: str, **options: Any) -> Any:
    details = models.RenameObjectDetails(source_name=source, new_name=target, **options)
    return bucket.client.rename_object(bucket.namespace, bucket.name, details)


def test_an_object_is_renamed(bucket: Bucket) -> None:
    bucket.put("a", b"1", opc_meta={"Color": "red"})
    bucket.put("b", b"2")
    etag = rename(bucket, "a", "b").headers["etag"]
    got = bucket.get("b")
    assert (got.data.content, got.headers["etag"]) == (b"1", etag)
    assert got.headers["opc-meta-color"] == "red"
    assert names(bucket.list()) == ["b"]
    assert refusal(lambda: rename(bucket, "a", "c")) == (404, "ObjectNotFound")


@pytest.mark.parametrize(
    "options",
    [
        {"src_obj_if_match_e_tag": "other"},
        {"new_obj_if_match_e_tag": "other"},
        {"new_obj_if_none_match_e_tag": "*"},
    ],
)
def test_a_renaming_can_have_conditions(bucket: Bucket, options: dict[str, str]) -> None:
    etag = bucket.put("a", b"1").headers["etag"]
    bucket.put("b", b"2")
    assert refusal(lambda: rename(bucket, "a", "b", **options))[0] == 412
    assert names(bucket.list()) == ["a", "b"]
    rename(bucket, "a", "c", src_obj_if_match_e_tag=etag, new_obj_if_none_match_e_tag="*")
    assert names(bucket.list()) == ["b", "c"]
    assert refusal(lambda: rename(bucket, "c", "c"))[0] == 400
