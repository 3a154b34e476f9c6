"""What users may write of Spark: the API server takes it, and the operator reads it as it was written."""

import json
from typing import Any

import pytest
import yaml
from tests.support import manifests
from tests.support.namespace import Namespace

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun

SIZE = {"ocpus": 2, "memoryInGBs": 32}

EVERYTHING = manifests.spark_job(
    machines={
        "type": "STREAMING",
        "language": "SCALA",
        "executorShape": "VM.Standard.E4.Flex",
        "executorShapeConfig": SIZE,
        "numExecutors": 2,
        "dynamicAllocation": {"minExecutors": 1, "maxExecutors": 4},
        "sparkConfiguration": {
            "spark.sql.shuffle.partitions": "8",
            "dataflow.auth": "resource_principal",
        },
        "poolId": "ocid1.dataflowpool.oc1.iad.a",
        "privateEndpointId": "ocid1.dataflowprivateendpoint.oc1.iad.a",
        "metastoreId": "ocid1.datacatalogmetastore.oc1.iad.a",
        "warehouseBucketUri": "oci://warehouse@mytenancy/tables",
        "logsBucketUri": "oci://dataflow-logs@mytenancy/",
        "artifactBucketUri": "oci://code@mytenancy",
        "applicationLogConfig": {
            "logGroupId": "ocid1.loggroup.oc1.iad.a",
            "logId": "ocid1.log.oc1.iad.a",
        },
    },
    code={
        "source": {"objectStorage": {"uri": "oci://builds@mytenancy/etl/"}},
        "entrypoint": "etl.jar",
        "className": "org.example.etl.Main",
        "archiveUri": "oci://code@mytenancy/archive.zip",
        "conda": {
            "type": "published",
            "uri": "oci://envs@mytenancy/conda/spark/1.0/sparkv1_0",
            "region": "us-phoenix-1",
        },
        "parameters": [{"name": "day", "value": "2026-01-01"}, {"name": "empty", "value": ""}],
    },
    identityRef={"name": "etl"},
    compartmentId="ocid1.compartment.oc1..a",
    displayName="ETL",
    description="Every day",
    freeformTags={"team": "a"},
    definedTags={"costs": {"center": "7"}},
    env=[{"name": "MODE", "value": "fast"}],
    args=["--day", "${day}"],
    maximumRuntimeInMinutes=600,
    results=["rows"],
    maxActiveRuns=2,
)

SESSION = manifests.spark_job(
    machines={
        "type": "SESSION",
        "driverShape": "VM.Standard2.1",
        "driverShapeConfig": None,
        "executorShape": "VM.Standard2.4",
        "poolName": "notebooks",
        "idleTimeoutInMinutes": 60,
    },
    code={"source": None},
)

SQL = manifests.spark_job(files={"report.sql": "SELECT 1;\n"}, machines={"language": "SQL"})

ADOPTED = manifests.spark_job(adopt={"ocid": "ocid1.dataflowapplication.oc1.iad.a"})

RUN = manifests.run(
    spark={
        "driverShape": "VM.Standard.E4.Flex",
        "driverShapeConfig": SIZE,
        "executorShape": "VM.Standard.E4.Flex",
        "executorShapeConfig": SIZE,
        "numExecutors": 8,
        "sparkConfiguration": {"spark.sql.shuffle.partitions": "64"},
        "parameters": [{"name": "day", "value": "2026-01-02"}],
        "logsBucketUri": "oci://logs@mytenancy/nightly",
        "warehouseBucketUri": "oci://warehouse@mytenancy/nightly",
    },
    maximumRuntimeInMinutes=60,
    failurePolicy={
        "rules": [{"action": "Retry", "onLifecycleDetails": {"pattern": "(?i)capacity"}}]
    },
    backoffLimit=2,
)

TEMPLATE = manifests.run() | {"spec": {"jobTemplate": {"spec": SESSION["spec"]}, "spark": {}}}


@pytest.mark.parametrize(
    "document",
    [EVERYTHING, SESSION, SQL, ADOPTED, RUN, TEMPLATE],
    ids=["every field", "a session", "SQL", "an adopted application", "a run", "a template"],
)
def test_it_is_taken_and_read_as_it_was_written(alone: Namespace, document: Any) -> None:
    said = alone.kubectl(
        *("create", "--dry-run=server", "--output=json", "-f", "-"), stdin=yaml.safe_dump(document)
    )
    taken = json.loads(said)
    model = OCIJob if document["kind"] == "OCIJob" else OCIJobRun
    # What is written is what was read: defaults of the API server are those of the models.
    assert model.model_validate(taken).spec.document() == taken["spec"]


def test_the_manual_tells_what_spark_runs_on(alone: Namespace) -> None:
    for field, told in {
        "infrastructure.dataFlow": "each run has its own Spark, with a driver and executors",
        "infrastructure.dataFlow.sparkVersion": "Version of Spark, such as 3.5.0.",
        "infrastructure": "dataFlow: sparkVersion: 3.5.0 driverShape: VM.Standard.E4.Flex",
        "runtime.spark": "The operator puts the code into Object Storage",
    }.items():
        assert told in " ".join(alone.kubectl("explain", f"ocijob.spec.{field}").split())


def test_the_backend_is_a_column(alone: Namespace) -> None:
    alone.create(manifests.spark_job())
    alone.create(manifests.run())
    alone.patch_status("OCIJob", "job", {"backend": "DataFlow"})
    alone.patch_status("OCIJobRun", "run", {"backend": "DataFlow"})
    jobs, runs = (alone.kubectl("get", kind).splitlines() for kind in ("ocijobs", "ocijobruns"))
    assert jobs[0].split()[:3] == ["NAME", "READY", "BACKEND"]
    assert runs[0].split()[:3] == ["NAME", "JOB", "BACKEND"]
    assert [jobs[1].split()[2], runs[1].split()[2]] == ["DataFlow", "DataFlow"]
