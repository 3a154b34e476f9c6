"""Spark code: what a run of OCI Data Flow starts."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.source import Source
from ocijobs.api.shared.model import Model, RelativePath, map_list, validations


class ApplicationParameter(Model):
    """A value that replaces `${name}` in the arguments."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")] = Field(
        description="Name of the parameter."
    )
    value: Annotated[str, Field(max_length=2048)] = Field(description="Its value.")


Parameters = Annotated[
    tuple[ApplicationParameter, ...],
    Field(max_length=64, json_schema_extra=map_list("name")),
]


class SparkRuntime(Model):
    """Spark code on OCI Data Flow: Python, Scala, Java or SQL, as infrastructure.dataFlow.language says.

      runtime:
        spark:
          source:
            inline:
              main.py: |
                from pyspark.sql import SparkSession

                print(SparkSession.builder.getOrCreate().range(10).count())

    The operator puts the code into Object Storage, under infrastructure.dataFlow.artifactBucketUri: the entrypoint,
    the Python modules beside it (as one archive that Python finds them in), and the jars beside it.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "!has(self.conda) || self.conda.type == 'published'",
                "conda.type must be published: Data Flow has no environments of the service",
            ),
        )
    )

    source: Source | None = Field(
        default=None, description="Where the code is; needed unless the type is SESSION."
    )
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "File that is run: .py, .jar or .sql, to match the language. By default the only one "
            "there is; required if the source has more than one."
        ),
    )
    class_name: (
        Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_$][A-Za-z0-9_$.]*$")]
        | None
    ) = Field(
        default=None, description="Main class: required for SCALA and JAVA, not allowed for others."
    )
    archive_uri: (
        Annotated[str, Field(max_length=2048, pattern=r"^oci://[^@/]+@[^@/]+/.+$")] | None
    ) = Field(
        default=None,
        description=(
            "Archive of further dependencies, in the form of Data Flow's dependency packager: "
            "oci://bucket@namespace/name.zip. The operator does not read it."
        ),
    )
    conda: CondaEnvironment | None = Field(
        default=None, description="The published conda environment of driver and executors."
    )
    parameters: Parameters = Field(
        default=(),
        description="Values that replace `${name}` in spec.args; a run may have others.",
    )
