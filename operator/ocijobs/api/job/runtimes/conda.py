"""The conda environment of a job's code, as ADS has it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.shared.model import Model, RegionName, validations


class CondaType(StrEnum):
    """Who made the conda environment."""

    SERVICE = "service"
    PUBLISHED = "published"


class CondaEnvironment(Model):
    """The conda environment that the code runs in, as in ADS.

    One that OCI Data Science offers:

      conda:
        type: service
        slug: generalml_p311_cpu_x86_64_v1

    One that you published to Object Storage:

      conda:
        type: published
        uri: oci://environments@mytenancy/conda_environments/cpu/training/1.0/trainingv1_0
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                (
                    "self.type == 'service' ? has(self.slug) && !has(self.uri) : has(self.uri) && "
                    "!has(self.slug)"
                ),
                "type service takes a slug and no uri, type published takes a uri and no slug",
            ),
            ("self.type == 'published' || !has(self.region)", "region goes with type published"),
        )
    )

    type: CondaType = Field(
        description=(
            "service: an environment that OCI Data Science offers. published: your own environment in "
            "Object Storage."
        )
    )
    slug: (
        Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")] | None
    ) = Field(
        default=None,
        description="Slug of the service's environment, such as generalml_p311_cpu_x86_64_v1.",
    )
    uri: Annotated[str, Field(max_length=2048, pattern=r"^oci://[^@/]+@[^@/]+/.+$")] | None = Field(
        default=None, description="Environment in Object Storage: oci://bucket@namespace/path."
    )
    region: RegionName | None = Field(
        default=None, description="Region of the bucket; by default the identity's region."
    )

    @model_validator(mode="after")
    def _matches_type(self) -> Self:
        if (self.slug is None) == (self.type is CondaType.SERVICE) or (self.uri is None) == (
            self.type is CondaType.PUBLISHED
        ):
            msg = (
                "conda: type service takes a slug and no uri, type published takes a uri and no "
                "slug"
            )
            raise ValueError(msg)
        return self
