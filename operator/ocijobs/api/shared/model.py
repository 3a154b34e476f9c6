"""The base of all models, and the field types that several resources share.

Every string, list and map carries a bound, since the API server's CEL cost budget is computed from
bounds; every field carries a description, since `kubectl explain` is the manual. `schema.py` refuses
a model that lacks either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict


class Model(BaseModel):
    """A frozen piece of a resource, camelCase outside.

    Unknown fields are ignored, so that an older operator reads objects of a newer one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=False,
    )

    def document(self) -> dict[str, object]:
        """Return the JSON document as the API server stores it: what is absent or empty is left out, never null."""
        return _object_without_empty(self.model_dump(mode="json", by_alias=True, exclude_none=True))


_SAYS_BY_BEING_THERE = frozenset({"spark"})
"""Fields that may be given with nothing in them, as the runtime of a session is."""


def _object_without_empty(node: Mapping[str, object]) -> dict[str, object]:
    return {
        k: _without_empty(v)
        for k, v in node.items()
        if v not in ([], {}) or k in _SAYS_BY_BEING_THERE
    }


def _without_empty(node: object) -> object:
    if isinstance(node, dict):
        return _object_without_empty(node)
    if isinstance(node, list):
        return [_without_empty(item) for item in node]
    return node


def validations(*rules: tuple[str, str]) -> JsonDict:
    """Return the schema extension for CEL rules, given as (rule, message) pairs.

    Source: https://kubernetes.io/docs/reference/using-api/cel/ and `x-kubernetes-validations`.
    """
    return {
        "x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]
    }


ATOMIC_LIST: JsonDict = {"x-kubernetes-list-type": "atomic"}
SET_LIST: JsonDict = {"x-kubernetes-list-type": "set"}


def map_list(*keys: str) -> JsonDict:
    """Return the schema extension of a list whose items are told apart by `keys`."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def _to_rfc3339(moment: datetime) -> str:
    """Return the time as Kubernetes writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[datetime, PlainSerializer(_to_rfc3339, return_type=str)]
"""metav1.Time."""

OCID_PATTERN = r"^ocid1\.[a-z0-9]+\.[a-z0-9-]+\.[a-z0-9-]*\.[A-Za-z0-9._-]+$"
ENV_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
DNS_LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
CONFIG_KEY_PATTERN = r"^[-._a-zA-Z0-9]+$"

Ocid = Annotated[str, Field(max_length=255, pattern=OCID_PATTERN)]
"""An OCI identifier, `ocid1.<type>.<realm>.[region].<unique>`."""

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN_PATTERN)]
"""The name of a Kubernetes object (RFC 1123 subdomain)."""

ConfigKey = Annotated[str, Field(min_length=1, max_length=253, pattern=CONFIG_KEY_PATTERN)]
"""A key of a ConfigMap or Secret."""

EnvName = Annotated[str, Field(min_length=1, max_length=256, pattern=ENV_NAME_PATTERN)]
"""The name of an environment variable."""

FreeformTags = Mapping[
    Annotated[str, Field(max_length=100)],
    Annotated[str, Field(max_length=256)],
]
"""OCI free-form tags: keys of at most 100 characters, values of at most 256."""

DefinedTags = Mapping[
    Annotated[str, Field(max_length=100)],
    Annotated[
        Mapping[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=256)]],
        Field(max_length=20),
    ],
]
"""OCI defined tags: tag namespace -> key -> value."""


RegionName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9-]+$")]


BucketUri = Annotated[
    str,
    Field(max_length=1024, pattern=r"^oci://[A-Za-z0-9_.-]+@[A-Za-z0-9_-]+(/([A-Za-z0-9._/-]*))?$"),
]
"""A bucket, or a folder in it: oci://bucket@namespace/prefix."""


RelativePath = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$",
    ),
]
"""A path inside the code: no leading slash, no `..`."""


PythonPath = Annotated[
    tuple[RelativePath, ...], Field(max_length=16, json_schema_extra=ATOMIC_LIST)
]


FunctionName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
]


Words = Annotated[
    tuple[Annotated[str, Field(max_length=2048)], ...],
    Field(min_length=1, max_length=64, json_schema_extra=ATOMIC_LIST),
]


Replicas = Annotated[int, Field(ge=1, le=1000)]


DisplayName = Annotated[str, Field(min_length=1, max_length=255)]


JobFreeformTags = Annotated[FreeformTags, Field(max_length=7)]


JobDefinedTags = Annotated[DefinedTags, Field(max_length=20)]


Minutes = Annotated[int, Field(ge=1, le=43200)]


ResultName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")
]


ResultNames = Annotated[
    tuple[ResultName, ...], Field(min_length=1, max_length=32, json_schema_extra=SET_LIST)
]


RevisionName = Annotated[str, Field(min_length=1, max_length=63)]


Digest = Annotated[str, Field(max_length=128)]


Url = Annotated[str, Field(max_length=2048)]


class DeletionPolicy(StrEnum):
    """What happens in OCI when the object is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


def immutable(field: str, kind: str) -> tuple[str, str]:
    """Return the rule that a field of a spec never changes.

    One rule a field at the root: a rule on an optional field is passed by removing and re-adding it.
    """
    return (
        (
            f"has(self.{field}) == has(oldSelf.{field}) && "
            f"(!has(self.{field}) || self.{field} == oldSelf.{field})"
        ),
        f"{field} is immutable: create another {kind}",
    )


Seconds = Annotated[int, Field(ge=1, le=10 * 365 * 24 * 3600)]
