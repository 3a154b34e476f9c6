"""Runtime of a job: its code, where the code comes from, and the software around it.

The variants have the meanings of the ADS runtimes of the same names
(https://accelerated-data-science.readthedocs.io/en/latest/user_guide/jobs/index.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.identity import RegionName
from ocijobs.api.model import ATOMIC_LIST, ConfigKey, Model, ObjectName, validations

RelativePath = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$",
    ),
]
"""A path inside the code: no leading slash, no `..`."""


class ConfigMapSource(Model):
    """Files from a ConfigMap."""

    name: ObjectName = Field(description="Name of the ConfigMap, in this namespace.")
    keys: (
        Annotated[
            tuple[ConfigKey, ...], Field(min_length=1, max_length=64, json_schema_extra=ATOMIC_LIST)
        ]
        | None
    ) = Field(default=None, description="Keys that become files of the same names; by default all.")


class Source(Model):
    """Where the code comes from: exactly one of `inline` and `configMap`.

    In the manifest itself, for a file or two:

      source:
        inline:
          train.py: |
            print("training")

    From a ConfigMap, for code that lives in files of its own, which kustomize's configMapGenerator or `kubectl create
    configmap training-code --from-file=src/` makes one of:

      source:
        configMap:
          name: training-code

    It is read again before every launch, so an edited ConfigMap counts for the next run. A Kubernetes object holds
    1 MiB at most.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "[has(self.inline), has(self.configMap)].exists_one(x, x)",
                "exactly one of inline and configMap must be given",
            ),
            (
                (
                    "!has(self.inline) || self.inline.all(path, path.matches("
                    "'^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$'))"
                ),
                "paths of inline files are relative: letters, digits, `.`, `_`, `-` and `/`",
            ),
        )
    )

    inline: (
        Annotated[
            Mapping[
                Annotated[str, Field(max_length=253)], Annotated[str, Field(max_length=524288)]
            ],
            Field(min_length=1, max_length=64),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "The files themselves: path (letters, digits, `.`, `_`, `-`, and `/` for folders) -> "
            "text."
        ),
    )
    config_map: ConfigMapSource | None = Field(
        default=None,
        description=(
            "Files from a ConfigMap of this namespace, such as kustomize's configMapGenerator "
            "makes."
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.inline is None) == (self.config_map is None):
            msg = "exactly one of inline and configMap must be given"
            raise ValueError(msg)
        return self


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
            "service: a pack that OCI Data Science offers. published: a pack of your own in "
            "Object Storage."
        )
    )
    slug: (
        Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")] | None
    ) = Field(
        default=None,
        description="Slug of the service's pack, such as generalml_p311_cpu_x86_64_v1.",
    )
    uri: Annotated[str, Field(max_length=2048, pattern=r"^oci://[^@/]+@[^@/]+/.+$")] | None = Field(
        default=None, description="Pack in Object Storage: oci://bucket@namespace/path."
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


class ScriptRuntime(Model):
    """One script that is run as a program: Python (.py) or shell (.sh)."""

    source: Source = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "File that is run: .py or .sh. By default the only one there is; needed where the "
            "source has several files."
        ),
    )
    conda: CondaEnvironment | None = Field(
        default=None,
        description=(
            "The conda environment that the script runs in: `{type: service, slug: ...}` or "
            "`{type: published, uri: ...}`. Without it a script has a bare Python or shell, and "
            "spec.outputs needs an environment that has the package `oci`."
        ),
    )


class PythonRuntime(Model):
    """Python code with modules of its own: a file, or a function in it."""

    source: Source = Field()
    conda: CondaEnvironment = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "Python file that is run. By default the only one there is; needed where the source "
            "has several files."
        ),
    )
    entry_function: (
        Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
        | None
    ) = Field(
        default=None,
        description=(
            "Function of the file that is called after the file has been run. Of spec.args, "
            "`--key value` and `--key=value` "
            "become keyword arguments, the others positional ones, all as text."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: Annotated[
        tuple[RelativePath, ...], Field(max_length=16, json_schema_extra=ATOMIC_LIST)
    ] = Field(
        default=(),
        description=(
            "Folders of the code that are added to sys.path; its root and the working directory "
            "are on it."
        ),
    )


class Runtime(Model):
    """What runs, and in which software: exactly one of `script` and `python`.

    `script` runs one file, Python or shell, as a program: the shortest way from a file to a run. `python` is for code
    with modules of its own, with a working directory, or with a function as its entry. Both have `source`, where the
    code is, and `conda`, the packages that it finds:

      runtime:
        script:
          conda:
            type: service
            slug: generalml_p311_cpu_x86_64_v1
          source:
            configMap:
              name: training-code
          entrypoint: train.py

    The code starts in its own folder with spec.env and spec.args, and has succeeded if it ends with exit code 0.

    In OCI the code of a job is immutable. When it changes here, the OCIJob gets a new revision (another OCI job), which
    later runs take; runs that were launched before keep theirs.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "[has(self.script), has(self.python)].exists_one(x, x)",
                "exactly one of script and python must be given",
            )
        )
    )

    script: ScriptRuntime | None = Field(
        default=None,
        description="One file, Python (.py) or shell (.sh), that is run as a program.",
    )
    python: PythonRuntime | None = Field(
        default=None,
        description=(
            "Python code with modules of its own: a file that is run, or a function in it that is "
            "called."
        ),
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.script is None) == (self.python is None):
            msg = "runtime: exactly one of script and python must be given"
            raise ValueError(msg)
        return self

    @property
    def variant(self) -> ScriptRuntime | PythonRuntime:
        """The member that is given."""
        if self.python is not None:
            return self.python
        if self.script is not None:
            return self.script
        raise AssertionError  # pragma: no cover - the validator refuses it
