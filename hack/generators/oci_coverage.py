"""Which field of a manifest says what a field says that OCI's APIs create jobs and runs from.

The fields are those that requests declare; here is how the API nests them, and why no field of a manifest says the
others. Tests hold this against the SDK: every field of the API is here, and every field that is named exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount
from ocijobs.api.run.settings import RunSpark
from ocijobs.api.shared.model import Model
from ocijobs.backends.data_flow.documents import of_executor
from ocijobs.backends.data_flow.requests import (
    FLOW,
    SPARK,
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.data_science.fields import in_group
from ocijobs.backends.data_science.machines import (
    MACHINES,
    Compute,
    ComputeCluster,
    Mount,
    NodeMachine,
)
from ocijobs.backends.data_science.requests import (
    GROUPS,
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    MultiNode,
    NodeGroup,
)
from ocijobs.backends.manifest_fields import parts_of
from ocijobs.backends.oci_fields import Attribute, Placed, Unset, attributes, camel, names_of, same
from ocijobs.backends.requests import Tags

Covered = Mapping[str, str | Unset]
"""By the path of a field there: the path of the field here, or why there is none."""

Rows = dict[str, str | Unset]


def rows(*blocks: type, placed: Placed = same) -> Rows:
    """Return the fields of blocks, each down to what has no members."""
    found: Rows = {}
    for block in blocks:
        for attribute in attributes(block):
            found |= _rows_of(attribute, placed)
    return found


def _rows_of(attribute: Attribute, placed: Placed) -> Rows:
    oci, spec = placed(attribute.oci), attribute.field.spec
    if isinstance(spec, Unset):
        return {oci: spec}
    kind = attribute.field.kind
    found: Rows = {f"{oci}.{kind[0]}": Unset(f"There is one: {kind[1]}.")} if kind else {}
    for name, path in _members(attribute):
        found[".".join(part for part in (oci, path) if part)] = placed(f"{spec}{name}")
    return found


def _members(attribute: Attribute) -> Iterator[tuple[str, str]]:
    """Yield the members of an attribute's values, from the field of the manifest and from that of the API."""
    holds = attribute.holds
    if issubclass(holds, Model):
        for path in leaves(holds):
            name, dot, rest = path.partition(".")
            yield f".{path}", f"{attribute.member(name)}{dot}{rest}"
    elif is_dataclass(holds):
        yield from ((f".{camel(each.name)}", camel(each.name)) for each in fields(holds))
    else:
        yield "", ""


def leaves(model: type[Model]) -> Iterator[str]:
    """Yield the paths of a model's fields that have no members."""
    for name, inner in parts_of(model).items():
        yield from [name] if inner is None else [f"{name}.{path}" for path in leaves(inner)]


def below(prefix: str, found: Covered) -> Rows:
    """Return the fields of an object that a field holds."""
    return {f"{prefix}.{name}": value for name, value in found.items()}


_CONFIGURATION: Rows = {"jobType": Unset("There is one: DEFAULT."), **rows(JobConfiguration)}
_CONTAINER: Rows = {
    "jobEnvironmentType": Unset("There is one: OCIR_CONTAINER."),
    **rows(ContainerEnvironment),
}
_OF_GROUP = in_group(GROUPS)


def _grouped(*blocks: type) -> Rows:
    found = rows(*blocks)
    return {k: v if isinstance(v, Unset) else _OF_GROUP(v) for k, v in found.items()}


def _mounted() -> Rows:
    """Return what is mounted, of all types together."""
    sources: dict[str, type[Model]] = {
        "objectStorage": ObjectStorageMount,
        "fileStorage": FileStorageMount,
    }
    return {
        "storageType": Unset("It follows from what is mounted."),
        **rows(Mount),
        **{
            path: f"{MACHINES}.storageMounts.{source}.{path}"
            for source, model in sources.items()
            for path in leaves(model)
        },
    }


def _nodes() -> Rows:
    nodes = rows(MultiNode)
    network = {k: nodes.pop(k) for k in list(nodes) if k.startswith("jobNetworkConfiguration.")}
    time_limit = Unset("The time limit is that of all nodes together.")
    group = {
        **_grouped(NodeGroup),
        **below(
            "jobConfigurationDetails",
            {
                "jobType": Unset("There is one: DEFAULT."),
                **_grouped(JobConfiguration),
                "maximumRuntimeInMinutes": time_limit,
            },
        ),
        **below("jobEnvironmentConfigurationDetails", _CONTAINER),
        **below(
            "jobInfrastructureConfigurationDetails",
            {
                "jobInfrastructureType": Unset("There is one for groups: MULTI_NODE."),
                **_grouped(NodeMachine),
            },
        ),
    }
    return {
        "jobNodeType": Unset("There is one: MULTI_NODE."),
        **nodes,
        "jobNetworkConfiguration.jobNetworkType": Unset("It follows from `subnetId`."),
        **network,
        **below("jobNodeGroupConfigurationDetailsList", group),
    }


CREATE_JOB_DETAILS: Covered = {
    **rows(JobRequest, JobSettings, Tags),
    **below("jobConfigurationDetails", _CONFIGURATION),
    **below(
        "jobInfrastructureConfigurationDetails",
        {
            "jobInfrastructureType": Unset("The operator sets it, from what else is given."),
            **_grouped(NodeMachine),
            **rows(Compute, ComputeCluster),
        },
    ),
    **below("jobEnvironmentConfigurationDetails", _CONTAINER),
    **below(
        "jobLogConfigurationDetails",
        {
            "enableLogging": f"{MACHINES}.logging.enableLogging",
            "enableAutoLogCreation": Unset(
                "A log group without a log: each run gets a log of its own."
            ),
            **rows(LogConfiguration),
        },
    ),
    **below("jobStorageMountConfigurationDetailsList", _mounted()),
    **below("jobNodeConfigurationDetails", _nodes()),
}
"""Fields of CreateJobDetails and of what it holds, types of all kinds together (Data Science API 20190101)."""


def _spark() -> Rows:
    machines = {**rows(SparkMachine), **rows(SparkMachine, placed=of_executor)}
    found = {**machines, **rows(SparkSettings)}
    parameters = found.pop("parameters")
    return found | {f"parameters.{name}": f"{parameters}.{name}" for name in ("name", "value")}


CREATE_APPLICATION_DETAILS: Covered = {
    **rows(ApplicationRequest, ApplicationSettings, Tags, ApplicationCode),
    "execute": Unset(
        "A line of spark-submit: `source`, `className`, `args` and `sparkConfiguration` say what is in it."
    ),
    **_spark(),
}
"""Fields of CreateApplicationDetails and of what it holds (Data Flow API 20200129)."""

_OF_JOB = Unset("The job's; another is another OCIJob.")


def _of_run(path: str | Unset) -> str | Unset:
    """Return where a run says what its job says elsewhere."""
    if isinstance(path, Unset) or "." not in path:
        return path
    place = FLOW if path.startswith(FLOW) else SPARK
    name = path.removeprefix(f"{place}.")
    return f"spark.{name}" if name.partition(".")[0] in names_of(RunSpark) else _OF_JOB


CREATE_RUN_DETAILS: Covered = {
    **rows(ApplicationRunRequest, Tags),
    "type": _OF_JOB,
    "sparkVersion": Unset("The job's; Data Flow takes another only with `execute`."),
    "execute": Unset("A line of spark-submit makes an application of its own: an OCIJob says it."),
    **{name: _of_run(path) for name, path in _spark().items()},
}
"""Fields of CreateRunDetails and of what it holds; the paths are those of an OCIJobRun's `spec`."""
