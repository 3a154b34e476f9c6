"""Which field of an OCIJob says what a key of oracle-ads YAML, or a field of the API's CreateJobDetails, says.

Tests hold this against oracle-ads and the OCI SDK themselves: every key and field is here, and every field that is
named exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unset:
    """No field of the manifest sets it: why."""

    reason: str


Covered = Mapping[str, str | Unset]

_COMPUTE = "infrastructure.dataScienceJob"
_BY_OPERATOR = Unset("The operator sets it, from what else is given.")

ADS_INFRASTRUCTURE: Covered = {
    "projectId": "projectId",
    "compartmentId": "compartmentId",
    "displayName": Unset("ADS takes the job's name for it, which becomes `displayName`."),
    "jobType": Unset("There is one: DEFAULT."),
    "jobInfrastructureType": Unset(
        "It follows from `subnetId`, `jobNodeGroups` and `computeTarget`."
    ),
    "shapeName": f"{_COMPUTE}.shapeName",
    "shapeConfigDetails": f"{_COMPUTE}.jobShapeConfigDetails",
    "blockStorageSize": f"{_COMPUTE}.blockStorageSizeInGBs",
    "subnetId": f"{_COMPUTE}.subnetId",
    "logGroupId": f"{_COMPUTE}.logging.logGroupId",
    "logId": f"{_COMPUTE}.logging.logId",
    "storageMount": f"{_COMPUTE}.storageMounts",
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
}
"""Keys of `infrastructure.spec` of type dataScienceJob."""

ADS_EVERY_RUNTIME: Covered = {
    "env": "env",
    "args": "args",
    "maximumRuntimeInMinutes": "maximumRuntimeInMinutes",
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
}
"""Keys of `runtime.spec` of every type."""


def _runtime(name: str, keys: Covered) -> dict[str, str | Unset]:
    """Return the keys of a runtime; a text that begins with a dot is a field of that runtime."""
    own = {
        key: f"runtime.{name}{value}" if isinstance(value, str) and value.startswith(".") else value
        for key, value in keys.items()
    }
    return {**ADS_EVERY_RUNTIME, **own}


_CODE: Covered = {"scriptPathURI": ".source", "entrypoint": ".entrypoint", "conda": ".conda"}
_PYTHON: Covered = {
    "entryFunction": ".entryFunction",
    "workingDir": ".workingDir",
    "pythonPath": ".pythonPath",
    "outputDir": "outputs.path",
    "outputUri": "outputs.uri",
}

ADS_RUNTIMES: Mapping[str, Covered] = {
    "script": _runtime("script", _CODE),
    "python": _runtime("python", {**_CODE, **_PYTHON}),
    "notebook": _runtime(
        "notebook",
        {
            "notebookPathURI": ".source",
            "source": ".source",
            "entrypoint": ".entrypoint",
            "conda": ".conda",
            "notebookEncoding": ".notebookEncoding",
            "excludeTags": ".excludeTags",
            "outputUri": "outputs.uri",
        },
    ),
    "gitPython": _runtime(
        "git",
        {
            **_PYTHON,
            "conda": ".conda",
            "entrypoint": ".entrypoint",
            "url": ".url",
            "branch": ".branch",
            "commit": ".commit",
            "gitSecretId": ".gitSecretId",
            "codeDir": Unset("A run clones into a folder of its own."),
            "skipMetadataUpdate": ".skipMetadataUpdate",
        },
    ),
    "container": _runtime(
        "container",
        {
            "image": ".image",
            "imageDigest": ".imageDigest",
            "imageSignatureId": ".imageSignatureId",
            "entrypoint": ".entrypoint",
            "cmd": ".cmd",
            "scriptPathURI": ".source",
            "replicas": ".replicas",
        },
    ),
    "pyTorchDistributed": _runtime(
        "pyTorchDistributed",
        {
            **_CODE,
            **_PYTHON,
            "entryFunction": Unset("torchrun starts a file; name it as the entrypoint."),
            "replicas": ".replicas",
            "git": ".git",
            "inputs": ".inputs",
            "dependencies": ".dependencies",
            "command": ".command",
            "deepspeed": ".deepspeed",
        },
    ),
}
"""Keys of `runtime.spec`, by the runtime's type."""

_CONFIGURATION: Covered = {
    "jobType": Unset("There is one: DEFAULT."),
    "environmentVariables": "env",
    "commandLineArguments": "args",
    "maximumRuntimeInMinutes": "maximumRuntimeInMinutes",
    "startupProbeDetails.jobProbeCheckType": Unset("There is one: EXEC."),
    "startupProbeDetails.command": f"{_COMPUTE}.startupProbe.command",
    "startupProbeDetails.periodInSeconds": f"{_COMPUTE}.startupProbe.periodInSeconds",
    "startupProbeDetails.failureThreshold": f"{_COMPUTE}.startupProbe.failureThreshold",
    "startupProbeDetails.initialDelayInSeconds": f"{_COMPUTE}.startupProbe.initialDelayInSeconds",
}
_CONTAINER: Covered = {
    "jobEnvironmentType": Unset("There is one: OCIR_CONTAINER."),
    "image": "runtime.container.image",
    "imageDigest": "runtime.container.imageDigest",
    "imageSignatureId": "runtime.container.imageSignatureId",
    "entrypoint": "runtime.container.entrypoint",
    "cmd": "runtime.container.cmd",
}
_SHAPE: Covered = {
    "shapeName": f"{_COMPUTE}.shapeName",
    "blockStorageSizeInGBs": f"{_COMPUTE}.blockStorageSizeInGBs",
    "jobShapeConfigDetails.ocpus": f"{_COMPUTE}.jobShapeConfigDetails.ocpus",
    "jobShapeConfigDetails.memoryInGBs": f"{_COMPUTE}.jobShapeConfigDetails.memoryInGBs",
    "jobShapeConfigDetails.cpuBaseline": f"{_COMPUTE}.jobShapeConfigDetails.cpuBaseline",
}
_REQUEST = f"{_COMPUTE}.computeTarget.resourceRequest"
_LIMIT = f"{_COMPUTE}.computeTarget.resourceLimit"
_MOUNTS = f"{_COMPUTE}.storageMounts"
_GROUP = f"{_COMPUTE}.jobNodeGroups"
_GROUPED: Covered = {
    "environmentVariables": f"{_GROUP}.env",
    "commandLineArguments": f"{_GROUP}.args",
    "maximumRuntimeInMinutes": Unset("The time limit is that of all nodes together."),
}


def under(prefix: str, fields: Covered, changes: Covered | None = None) -> dict[str, str | Unset]:
    """Return the fields of what a field holds, with some of them changed."""
    return {f"{prefix}.{name}": value for name, value in {**fields, **(changes or {})}.items()}


CREATE_JOB_DETAILS: Covered = {
    "projectId": "projectId",
    "compartmentId": "compartmentId",
    "displayName": "displayName",
    "description": "description",
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
    **under("jobConfigurationDetails", _CONFIGURATION),
    **under(
        "jobInfrastructureConfigurationDetails",
        {
            "jobInfrastructureType": _BY_OPERATOR,
            **_SHAPE,
            "subnetId": f"{_COMPUTE}.subnetId",
            "capacityReservationId": f"{_COMPUTE}.capacityReservationId",
            "capacityReservationIds": f"{_GROUP}.capacityReservationIds",
            "computeTargetId": f"{_COMPUTE}.computeTarget.computeTargetId",
            **under(
                "resourceConfiguration.resourceRequestConfiguration",
                {name: f"{_REQUEST}.{name}" for name in ("ocpus", "memoryInGBs", "gpus")},
            ),
            **under(
                "resourceConfiguration.resourceLimitConfiguration",
                {name: f"{_LIMIT}.{name}" for name in ("ocpus", "memoryInGBs")},
            ),
        },
    ),
    **under("jobEnvironmentConfigurationDetails", _CONTAINER),
    **under(
        "jobLogConfigurationDetails",
        {
            "enableLogging": f"{_COMPUTE}.logging.enableLogging",
            "enableAutoLogCreation": Unset(
                "A log group without a log: each run gets a log of its own."
            ),
            "logGroupId": f"{_COMPUTE}.logging.logGroupId",
            "logId": f"{_COMPUTE}.logging.logId",
        },
    ),
    **under(
        "jobStorageMountConfigurationDetailsList",
        {
            "storageType": Unset("It follows from what is mounted."),
            "destinationDirectoryName": f"{_MOUNTS}.destinationDirectoryName",
            "destinationPath": f"{_MOUNTS}.destinationPath",
            "namespace": f"{_MOUNTS}.objectStorage.namespace",
            "bucket": f"{_MOUNTS}.objectStorage.bucket",
            "prefix": f"{_MOUNTS}.objectStorage.prefix",
            "mountTargetId": f"{_MOUNTS}.fileStorage.mountTargetId",
            "exportId": f"{_MOUNTS}.fileStorage.exportId",
        },
    ),
    **under(
        "jobNodeConfigurationDetails",
        {
            "jobNodeType": Unset("There is one: MULTI_NODE."),
            "startupOrder": f"{_COMPUTE}.startupOrder",
            "maximumRuntimeInMinutes": "maximumRuntimeInMinutes",
            "jobNetworkConfiguration.jobNetworkType": Unset("It follows from `subnetId`."),
            "jobNetworkConfiguration.subnetId": f"{_COMPUTE}.subnetId",
            **under(
                "jobNodeGroupConfigurationDetailsList",
                {
                    "name": f"{_GROUP}.name",
                    "replicas": f"{_GROUP}.replicas",
                    "minimumSuccessReplicas": f"{_GROUP}.minimumSuccessReplicas",
                    **under("jobConfigurationDetails", _CONFIGURATION, _GROUPED),
                    **under("jobEnvironmentConfigurationDetails", _CONTAINER),
                    **under(
                        "jobInfrastructureConfigurationDetails",
                        {
                            "jobInfrastructureType": Unset("There is one for groups: MULTI_NODE."),
                            **{
                                name: str(path).replace(_COMPUTE, _GROUP)
                                for name, path in _SHAPE.items()
                            },
                            "capacityReservationIds": f"{_GROUP}.capacityReservationIds",
                        },
                    ),
                },
            ),
        },
    ),
}
"""Fields of CreateJobDetails and of what it holds, types of all kinds together (Data Science API 20190101)."""
