"""URIs of Object Storage: ``oci://bucket@namespace/name``."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from oci_emulator.calls.errors import invalid

_URI = re.compile(r"oci://(?P<bucket>[\w.-]+)@(?P<namespace>[\w-]+)(?:/(?P<name>.*))?", re.DOTALL)


class Place(NamedTuple):
    """Where an object is."""

    namespace: str
    bucket: str
    name: str

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters of Object Storage's paths."""
        return {
            "namespaceName": self.namespace,
            "bucketName": self.bucket,
            "objectName": self.name,
        }


def read(uri: str) -> Place | None:
    """Where a URI leads; None if it is none of Object Storage."""
    match = _URI.fullmatch(uri)
    return Place(match["namespace"], match["bucket"], match["name"] or "") if match else None


def check_object(uri: str, path: str) -> None:
    """Check the URI of an object.

    Raises:
        ServiceError: 400, it is none.
    """
    place = read(uri)
    if place is None or not place.name:
        raise invalid(f"{path}: must be oci://bucket@namespace/name, not {uri[:200]!r}")


def check_bucket(uri: str, path: str) -> None:
    """Check the URI of a bucket, or of a place in one.

    Raises:
        ServiceError: 400, it is none.
    """
    if read(uri) is None:
        raise invalid(f"{path}: must be oci://bucket@namespace/, not {uri[:200]!r}")
