"""The operations of Object Storage."""

from collections.abc import Mapping

from oci_emulator.calls.call import Endpoint
from oci_emulator.services.objectstorage.buckets import Buckets
from oci_emulator.services.objectstorage.multipart import MultipartUploads
from oci_emulator.services.objectstorage.objects import Objects

BUCKETS = "buckets"
OBJECTS = "objects"


def endpoints(
    buckets: Buckets, objects: Objects, multipart: MultipartUploads
) -> Mapping[str, Endpoint]:
    """The operations on the namespace, buckets, objects and multipart uploads."""
    return {
        "GetNamespace": Endpoint(handle=buckets.namespace, verb="inspect", family=BUCKETS),
        "CreateBucket": Endpoint(handle=buckets.create, verb="manage", family=BUCKETS),
        "GetBucket": Endpoint(handle=buckets.get, verb="read", family=BUCKETS),
        "HeadBucket": Endpoint(handle=buckets.head, verb="inspect", family=BUCKETS),
        "ListBuckets": Endpoint(handle=buckets.list_all, verb="inspect", family=BUCKETS),
        "UpdateBucket": Endpoint(handle=buckets.update, verb="use", family=BUCKETS),
        "DeleteBucket": Endpoint(handle=buckets.delete, verb="manage", family=BUCKETS),
        "PutObject": Endpoint(handle=objects.put, verb="manage", family=OBJECTS),
        "GetObject": Endpoint(handle=objects.get, verb="read", family=OBJECTS),
        "HeadObject": Endpoint(handle=objects.head, verb="inspect", family=OBJECTS),
        "DeleteObject": Endpoint(handle=objects.delete, verb="manage", family=OBJECTS),
        "RenameObject": Endpoint(handle=objects.rename, verb="manage", family=OBJECTS),
        "ListObjects": Endpoint(handle=objects.list_all, verb="inspect", family=OBJECTS),
        "CreateMultipartUpload": Endpoint(handle=multipart.create, verb="manage", family=OBJECTS),
        "UploadPart": Endpoint(handle=multipart.upload_part, verb="manage", family=OBJECTS),
        "CommitMultipartUpload": Endpoint(handle=multipart.commit, verb="manage", family=OBJECTS),
        "AbortMultipartUpload": Endpoint(handle=multipart.abort, verb="manage", family=OBJECTS),
        "ListMultipartUploads": Endpoint(handle=multipart.list_all, verb="inspect", family=OBJECTS),
        "ListMultipartUploadParts": Endpoint(
            handle=multipart.list_parts, verb="inspect", family=OBJECTS
        ),
    }
