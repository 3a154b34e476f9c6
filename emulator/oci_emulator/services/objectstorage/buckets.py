"""The namespace and its buckets."""

import re

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, conflict, invalid
from oci_emulator.calls.paging import page_of
from oci_emulator.services.foundation import Foundation, check_tags
from oci_emulator.services.objectstorage.table import ObjectTable
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

KIND = "bucket"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,255}")
_MAXIMUM_PAGE = 1000


def bucket_not_found(name: str, namespace: str) -> ServiceError:
    """404: it doesn't exist, or the caller may not know that it does."""
    return ServiceError(
        404,
        "BucketNotFound",
        f"Either the bucket named '{name[:255]}' does not exist in the namespace"
        f" '{namespace[:255]}' or you are not authorized to access it",
    )


class Buckets:
    """Buckets."""

    def __init__(self, foundation: Foundation, table: ObjectTable) -> None:
        self._foundation = foundation
        self._table = table

    def namespace(self, call: Call) -> Answer:
        """GetNamespace: of the tenancy, for everyone in it."""
        call.authorized = True
        return Answer(body=self._foundation.tenancy.namespace)

    def create(self, call: Call) -> Answer:
        """CreateBucket."""
        namespace = self._check_namespace(call)
        details = call.body
        call.require(details["compartmentId"])
        name = details["name"]
        if not _NAME.fullmatch(name):
            raise ServiceError(400, "InvalidBucketName", f"{name[:255]!r} is no bucket name.")
        if details.get("versioning") == "Enabled":
            raise _no_versioning()
        if self._named(name) is not None:
            raise conflict(
                "BucketAlreadyExists",
                f"Either the bucket '{name}' in namespace '{namespace}' already exists or you are"
                " not authorized to create it",
            )
        body = {
            "publicAccessType": "NoPublicAccess",
            "storageTier": "Standard",
            "versioning": "Disabled",
            "autoTiering": "Disabled",
            "objectEventsEnabled": False,
            "metadata": {},
            **details,
            **self._foundation.tags(call, details),
            "id": self._foundation.new_ocid("bucket"),
            "namespace": namespace,
            "createdBy": call.principal.id,
            "timeCreated": timestamp(call.now),
            "replicationEnabled": False,
            "isReadOnly": False,
        }
        bucket = self._foundation.add(
            Resource(
                id=body["id"],
                kind=KIND,
                compartment=details["compartmentId"],
                parent=namespace,
                created=call.now,
                body=body,
            )
        )
        answer = _shown(bucket)
        answer.headers["location"] = f"/n/{namespace}/b/{name}"
        return answer

    def get(self, call: Call) -> Answer:
        """GetBucket."""
        bucket = self.find(call)
        if call.headers.get("if-none-match") == bucket.etag:
            return Answer(status=304, headers={"etag": bucket.etag})
        self._match(call, bucket)
        answer = _shown(bucket)
        fields = call.query.get("fields", [])
        number, size = self._table.totals(bucket.id)
        if "approximateCount" in fields:
            answer.body["approximateCount"] = number
        if "approximateSize" in fields:
            answer.body["approximateSize"] = size
        return answer

    def head(self, call: Call) -> Answer:
        """HeadBucket."""
        answer = self.get(call)
        answer.body = None
        return answer

    def list_all(self, call: Call) -> Answer:
        """ListBuckets, by their names."""
        self._check_namespace(call)
        call.require(call.query["compartmentId"])
        selection = Selection(
            kind=KIND, equal={"compartment": call.query["compartmentId"]}, sort="name"
        )
        answer = page_of(
            self._foundation.resources,
            selection,
            call,
            default_limit=_MAXIMUM_PAGE,
            maximum=_MAXIMUM_PAGE,
        )
        if "tags" not in call.query.get("fields", []):
            for body in answer.body:
                del body["freeformTags"], body["definedTags"]
        return answer

    def update(self, call: Call) -> Answer:
        """UpdateBucket; its name can't change here."""
        bucket = self.find(call)
        self._match(call, bucket)
        changes = dict(call.body)
        changes.pop("namespace", None)
        if changes.get("versioning") == "Enabled":
            raise _no_versioning()
        if changes.get("name", bucket.name) != bucket.name:
            raise invalid("name: this emulator can't rename a bucket")
        check_tags(changes, self._foundation.rules)
        if "compartmentId" in changes:
            call.require(changes["compartmentId"], verb="manage")
            bucket.compartment = changes["compartmentId"]
        bucket.body |= changes
        return _shown(self._foundation.save(bucket))

    def delete(self, call: Call) -> Answer:
        """DeleteBucket: only if it is empty."""
        bucket = self.find(call)
        self._match(call, bucket)
        if self._table.totals(bucket.id)[0] or self._table.uploads(bucket.id):
            raise conflict(
                "BucketNotEmpty",
                f"The bucket '{bucket.name}' in namespace '{bucket.parent}' is not empty",
            )
        self._foundation.resources.remove(bucket.id)
        return Answer(status=204, resource=bucket.id)

    def find(self, call: Call) -> Resource:
        """The bucket that a call is about, if its principal may do that in it.

        Raises:
            ServiceError: 404, there is none, or it may not.
        """
        namespace = self._check_namespace(call)
        name = call.path["bucketName"]
        bucket = self._named(name)
        if bucket is None:
            raise bucket_not_found(name, namespace)
        variables = {"target.bucket.name": name}
        if "objectName" in call.path:
            variables["target.object.name"] = call.path["objectName"]
        try:
            call.require(bucket.compartment, variables=variables)
        except ServiceError:
            raise bucket_not_found(name, namespace) from None
        return bucket

    def _check_namespace(self, call: Call) -> str:
        namespace = self._foundation.tenancy.namespace
        given = call.path["namespaceName"]
        if given != namespace:
            raise ServiceError(
                404,
                "NamespaceNotFound",
                f"You do not have authorization to perform this request, or the namespace"
                f" '{given[:255]}' could not be found.",
            )
        return namespace

    def _named(self, name: str) -> Resource | None:
        equal = {"parent": self._foundation.tenancy.namespace, "name": name}
        found = self._foundation.resources.select(Selection(kind=KIND, equal=equal, limit=1))
        return found[0] if found else None

    @staticmethod
    def _match(call: Call, bucket: Resource) -> None:
        expected = call.headers.get("if-match")
        if expected not in {None, "*", bucket.etag}:
            raise if_match_failed(bucket.etag)


def _shown(bucket: Resource) -> Answer:
    return Answer(
        body={**bucket.body, "etag": bucket.etag},
        headers={"etag": bucket.etag},
        resource=bucket.id,
    )


def if_match_failed(etag: str) -> ServiceError:
    """412: it has another etag."""
    return ServiceError(
        412, "IfMatchFailed", f"The If-Match header does not fit: the etag is {etag!r}."
    )


def _no_versioning() -> ServiceError:
    return ServiceError(
        501, "NotImplemented", "versioning: this emulator keeps no versions of objects."
    )
