"""Which field of a manifest says what a key of oracle-ads YAML says: for import, for export, and for people.

What is a path is copied both ways. docs/reference/coverage.md shows the table, and tests hold it against oracle-ads
(2.16): every key is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_flow.requests import (
    FLOW,
    SPARK,
    ApplicationCode,
    ApplicationRequest,
    SparkSettings,
)
from ocijobs.backends.data_science.machines import MACHINES, Compute
from ocijobs.backends.data_science.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    LogConfiguration,
)
from ocijobs.backends.documents import at, put
from ocijobs.backends.oci_fields import Unset, attributes
from ocijobs.cli.document_keys import Spec, cleaned


@dataclass(frozen=True, slots=True)
class Converted:
    """The field says the same in another form: functions of the import and of the export convert it.

    Attributes:
        spec: path of the field.
        exported: whether the key is written; else the field is written by another key, or is left out.
    """

    spec: str
    exported: bool = True


Keys = Mapping[str, str | Converted | Unset]
"""By key: the path of the field; or why there is none."""


def _declared(part: str, *blocks: type) -> dict[str, str]:
    """Return the keys that are declared of what OCI has."""
    return {
        attribute.field.ads.removeprefix(f"{part}."): attribute.spec
        for block in blocks
        for attribute in attributes(block)
        if attribute.spec is not None
        and attribute.field.ads is not None
        and attribute.field.ads.startswith(f"{part}.")
    }


_TAGS: Keys = {
    "freeformTags": Converted("freeformTags"),
    "definedTags": Converted("definedTags"),
}

INFRASTRUCTURES: Mapping[str, Keys] = {
    "dataScienceJob": {
        **_declared("infrastructure", JobRequest),
        "displayName": Unset("ADS takes the job's name for it, which becomes `displayName`."),
        "jobType": Unset("There is one: DEFAULT."),
        "jobInfrastructureType": Unset(
            "It follows from `subnetId`, `jobNodeGroups` and `computeTarget`."
        ),
        **_declared("infrastructure", Compute, LogConfiguration),
        "storageMount": Converted(f"{MACHINES}.storageMounts"),
        **_TAGS,
    },
    "dataFlow": {
        **_declared("infrastructure", ApplicationRequest),
        "id": Converted("adopt.ocid", exported=False),
        "sparkVersion": Converted(f"{FLOW}.sparkVersion"),
        "driverShape": Converted(f"{FLOW}.driverShape"),
        "driverShapeConfig": Converted(f"{FLOW}.driverShapeConfig"),
        "executorShape": Converted(f"{FLOW}.executorShape"),
        "executorShapeConfig": Converted(f"{FLOW}.executorShapeConfig"),
        **_declared("infrastructure", ApplicationCode, SparkSettings),
        "configuration": Converted(f"{FLOW}.sparkConfiguration", exported=False),
        "execute": Unset(
            "A line of spark-submit: `source`, `className`, `args` and `sparkConfiguration` say what is in it."
        ),
        **_TAGS,
    },
}
"""Keys of `infrastructure.spec`, by the infrastructure's type."""

EVERY_RUNTIME: Keys = {
    "env": Converted("env"),
    "args": Converted("args"),
    **_declared("runtime", JobConfiguration),
    "freeformTags": Converted("freeformTags", exported=False),
    "definedTags": Converted("definedTags", exported=False),
}
"""Keys of `runtime.spec` of every type."""


def _of(place: str, *copied: str, **converted: str) -> dict[str, str | Converted | Unset]:
    """Return keys whose fields are at a place: those that are copied have the same name there."""
    return {
        **{key: f"{place}.{key}" for key in copied},
        **{key: Converted(f"{place}.{name}") for key, name in converted.items()},
    }


_OUTPUT_FOLDER: Keys = {"outputDir": Converted("outputs.path")}
_OUTPUTS: Keys = {"outputUri": Converted("outputs.uri")}
_PATHS = {"entrypoint": "entrypoint", "workingDir": "workingDir", "pythonPath": "pythonPath"}
REPOSITORY = ("url", "branch", "commit", "gitSecretId")
"""Keys of a Git repository, which are those of its field, too."""

RUNTIMES: Mapping[str, Keys] = {
    "script": {
        **EVERY_RUNTIME,
        **_of("runtime.script", "conda", scriptPathURI="source", entrypoint="entrypoint"),
    },
    "python": {
        **EVERY_RUNTIME,
        **_of("runtime.python", "conda", "entryFunction", scriptPathURI="source", **_PATHS),
        **_OUTPUT_FOLDER,
        **_OUTPUTS,
    },
    "notebook": {
        **EVERY_RUNTIME,
        **_of(
            "runtime.notebook",
            *("conda", "entrypoint", "excludeTags", "notebookEncoding"),
            notebookPathURI="source",
        ),
        # The older of two names.
        "source": Converted("runtime.notebook.source", exported=False),
        **_OUTPUTS,
    },
    "gitPython": {
        **EVERY_RUNTIME,
        **_of("runtime.git", *REPOSITORY, "conda", "entryFunction", "skipMetadataUpdate", **_PATHS),
        "codeDir": Unset("A run clones into a folder of its own."),
        **_OUTPUT_FOLDER,
        **_OUTPUTS,
    },
    "container": {
        **EVERY_RUNTIME,
        **_declared("runtime", ContainerEnvironment),
        **_of(
            "runtime.container",
            "replicas",
            entrypoint="entrypoint",
            cmd="cmd",
            scriptPathURI="source",
        ),
    },
    "pyTorchDistributed": {
        **EVERY_RUNTIME,
        **_of(
            "runtime.pyTorchDistributed",
            *("conda", "inputs", "command", "deepspeed"),
            scriptPathURI="source",
            git="git",
            dependencies="dependencies",
            replicas="replicas",
            **_PATHS,
        ),
        "entryFunction": Unset("torchrun starts a file; name it as the entrypoint."),
        **_OUTPUT_FOLDER,
        **_OUTPUTS,
    },
    "dataFlow": {
        **EVERY_RUNTIME,
        **_of(SPARK, "conda", scriptPathURI="source", archiveUri="archiveUri"),
        "scriptBucket": Converted(f"{FLOW}.artifactBucketUri"),
        "archiveBucket": Unset(
            "The archive is put into Object Storage by you, where `archiveUri` says."
        ),
        "overwrite": Unset(
            "Each state of the code is an object of its own, which is never overwritten."
        ),
        "configuration": Converted(f"{FLOW}.sparkConfiguration"),
        # As the property dataflow.auth.
        "condaAuthType": Converted(f"{FLOW}.sparkConfiguration"),
    },
}
"""Keys of `runtime.spec`, by the runtime's type."""


def to_fields(keys: Keys, given: Mapping[str, object], into: Spec) -> None:
    """Put what ADS says into the spec of a manifest: the keys that are copied."""
    for key, path in keys.items():
        if isinstance(path, str) and cleaned({key: given.get(key)}):
            put(into, path, given[key])


def to_keys(keys: Keys, spec: Mapping[str, object], converted: Spec) -> Spec:
    """Return what a manifest says as ADS has it, in the order of the keys.

    Args:
        keys: of the part of the job of ADS.
        spec: the manifest's.
        converted: the keys that are not copied, with their values.
    """
    found = {key: at(spec, path) for key, path in keys.items() if isinstance(path, str)} | converted
    return {key: found[key] for key in keys if key in found}


def unsaid(spec: OCIJobSpec, *parts: Keys) -> Iterator[str]:
    """Yield the paths of fields that are given, not by default, and that no key of a job's parts says."""
    covered = {_exported(value) for keys in parts for value in keys.values()} - {None}
    given = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    yield from _unsaid("", given, frozenset(path for path in covered if path is not None))


def _exported(value: str | Converted | Unset) -> str | None:
    if isinstance(value, Converted):
        return value.spec if value.exported else None
    return value if isinstance(value, str) else None


def _unsaid(place: str, given: Mapping[str, object], covered: frozenset[str]) -> Iterator[str]:
    for name, value in given.items():
        path = f"{place}{name}"
        if path in covered or value in (None, [], {}):
            continue
        if isinstance(value, dict) and any(each.startswith(f"{path}.") for each in covered):
            yield from _unsaid(f"{path}.", value, covered)
        else:
            yield path
