"""Which field of an OCIJob or OCIJobRun says what a key of oracle-ads YAML, or a field of the Data Flow API, says.

The table of coverage.py for the other infrastructure; it is held against oracle-ads and the OCI SDK in the same way.
"""

from __future__ import annotations

from ocijobs.api.coverage import ADS_EVERY_RUNTIME, Covered, Unset, under

_FLOW = "infrastructure.dataFlow"
_SPARK = "runtime.spark"
_EXECUTE = Unset(
    "A line of spark-submit: `source`, `className`, `args` and `sparkConfiguration` say what is in it."
)


def _same(*names: str, place: str) -> dict[str, str | Unset]:
    """Return fields that have the same name there."""
    return {name: f"{place}.{name}" for name in names}


_MACHINES: Covered = _same(
    *("driverShape", "driverShapeConfig", "executorShape", "executorShapeConfig", "numExecutors"),
    place=_FLOW,
)
_PLACES: Covered = _same(
    *("logsBucketUri", "warehouseBucketUri", "metastoreId", "poolId", "privateEndpointId"),
    place=_FLOW,
)

ADS_DATA_FLOW: Covered = {
    "compartmentId": "compartmentId",
    "id": "adopt.ocid",
    "language": f"{_FLOW}.language",
    "sparkVersion": f"{_FLOW}.sparkVersion",
    **_MACHINES,
    "configuration": f"{_FLOW}.sparkConfiguration",
    "execute": _EXECUTE,
    **_PLACES,
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
}
"""Keys of `infrastructure.spec` of type dataFlow."""

ADS_DATA_FLOW_RUNTIME: Covered = {
    **ADS_EVERY_RUNTIME,
    "scriptPathURI": f"{_SPARK}.source",
    "scriptBucket": f"{_FLOW}.artifactBucketUri",
    "archiveUri": f"{_SPARK}.archiveUri",
    "archiveBucket": Unset(
        "The archive is put into Object Storage by you, where `archiveUri` says."
    ),
    "overwrite": Unset(
        "Each state of the code is an object of its own, which is never overwritten."
    ),
    "configuration": f"{_FLOW}.sparkConfiguration",
    "conda": f"{_SPARK}.conda",
    # As the property dataflow.auth.
    "condaAuthType": f"{_FLOW}.sparkConfiguration",
}
"""Keys of `runtime.spec` of type dataFlow."""


def _sized(place: str) -> dict[str, str | Unset]:
    """Return the sizes of driver and executors."""
    return {
        f"{shape}.{size}": f"{place}.{shape}.{size}"
        for shape in ("driverShapeConfig", "executorShapeConfig")
        for size in ("ocpus", "memoryInGBs")
    }


CREATE_APPLICATION_DETAILS: Covered = {
    "compartmentId": "compartmentId",
    "displayName": "displayName",
    "description": "description",
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
    **_same("type", "language", "sparkVersion", place=_FLOW),
    "fileUri": f"{_SPARK}.source",
    **_same("className", "archiveUri", place=_SPARK),
    "arguments": "args",
    **under("parameters", _same("name", "value", place=f"{_SPARK}.parameters")),
    "configuration": f"{_FLOW}.sparkConfiguration",
    "execute": _EXECUTE,
    **_same("driverShape", "executorShape", "numExecutors", place=_FLOW),
    **_sized(_FLOW),
    **_PLACES,
    **under(
        "applicationLogConfig",
        _same("logGroupId", "logId", place=f"{_FLOW}.applicationLogConfig"),
    ),
    "maxDurationInMinutes": "maximumRuntimeInMinutes",
    "idleTimeoutInMinutes": f"{_FLOW}.idleTimeoutInMinutes",
}
"""Fields of CreateApplicationDetails and of what it holds (Data Flow API 20200129)."""

_OF_JOB = Unset("The job's; another is another OCIJob.")

CREATE_RUN_DETAILS: Covered = {
    "applicationId": "jobRef",
    "compartmentId": Unset("The job's."),
    "displayName": "displayName",
    "freeformTags": "freeformTags",
    "definedTags": "definedTags",
    "type": _OF_JOB,
    "sparkVersion": Unset("The job's; Data Flow takes another only with `execute`."),
    "execute": Unset("A line of spark-submit makes an application of its own: an OCIJob says it."),
    "arguments": "args",
    **under("parameters", _same("name", "value", place="spark.parameters")),
    "configuration": "spark.sparkConfiguration",
    **_same("driverShape", "executorShape", "numExecutors", place="spark"),
    **_sized("spark"),
    **_same("logsBucketUri", "warehouseBucketUri", place="spark"),
    "archiveUri": _OF_JOB,
    "metastoreId": _OF_JOB,
    "poolId": _OF_JOB,
    "applicationLogConfig.logGroupId": _OF_JOB,
    "applicationLogConfig.logId": _OF_JOB,
    "maxDurationInMinutes": "maximumRuntimeInMinutes",
    "idleTimeoutInMinutes": _OF_JOB,
}
"""Fields of CreateRunDetails and of what it holds; the paths are those of an OCIJobRun's `spec`."""
