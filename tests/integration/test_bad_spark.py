"""What users get wrong of jobs on Data Flow and their runs, and the rule that the API server names."""

from typing import Any

import pytest
import yaml
from tests.support import manifests
from tests.support.namespace import Namespace

Spec = dict[str, Any]

DATA_SCIENCE = {"shapeName": "VM.Standard2.1"}
FLOW = manifests.spark_job()["spec"]["infrastructure"]["dataFlow"]
SPARK = manifests.spark_job()["spec"]["runtime"]["spark"]
SCRIPT = manifests.job()["spec"]["runtime"]["script"]
SIZE = {"ocpus": 1, "memoryInGBs": 16}
SESSION = manifests.spark_job(machines={"type": "SESSION"}, code={"source": None})


def _job(**spec: Any) -> Spec:
    return manifests.spark_job(**spec)


def _with(**machines: Any) -> Spec:
    return manifests.spark_job(machines=machines)


def _run(*, of: Spec | None = None, **spec: Any) -> Spec:
    """Return a run with a template of its own, of a Spark job by default."""
    template = {"spec": (of or manifests.spark_job())["spec"]}
    return manifests.run() | {"spec": {"jobTemplate": template, **spec}}


REFUSED: dict[str, tuple[Spec, str]] = {
    "both infrastructures": (
        _job(infrastructure={"dataScienceJob": DATA_SCIENCE, "dataFlow": FLOW}),
        "exactly one of dataScienceJob and dataFlow must be given",
    ),
    "neither infrastructure": (
        _job(infrastructure={}),
        "exactly one of dataScienceJob and dataFlow must be given",
    ),
    "Spark on Data Science": (
        _job(infrastructure={"dataScienceJob": DATA_SCIENCE}),
        "runtime.spark runs on infrastructure.dataFlow, and nothing else does",
    ),
    "a script on Data Flow": (
        _job(runtime={"script": SCRIPT}),
        "runtime.spark runs on infrastructure.dataFlow, and nothing else does",
    ),
    "an application adopted without its code": (
        manifests.spark_job(adopt={"ocid": "ocid1.dataflowapplication.oc1.iad.a"}, runtime=None),
        "runtime must be given with infrastructure.dataFlow",
    ),
    "no version of Spark": (_with(sparkVersion=None), "dataFlow.sparkVersion: Required value"),
    "no shape": (
        _with(driverShape=None, driverShapeConfig=None),
        "dataFlow.driverShape: Required value",
    ),
    "a conda environment of the service": (
        manifests.spark_job(code={"conda": {"type": "service", "slug": "x"}}),
        "conda.type must be published: Data Flow has no environments of the service",
    ),
    "outputs": (
        _job(outputs={"uri": "oci://b@n/x"}),
        "our driver saves outputs, and Spark jobs do not have it: write to Object Storage with Spark",
    ),
    "a Vault secret": (
        _job(
            env=[
                {
                    "name": "A",
                    "valueFrom": {"vaultSecretRef": {"secretId": "ocid1.vaultsecret.oc1.iad.a"}},
                }
            ]
        ),
        "our driver reads vaultSecretRef, and containers and Spark do not have it",
    ),
    "a project": (
        _job(projectId="ocid1.datascienceproject.oc1.iad.a"),
        "projectId is for Data Science: leave it out with infrastructure.dataFlow",
    ),
    "shapes of two families": (
        _with(executorShape="VM.Standard.E3.Flex", executorShapeConfig=SIZE),
        "driverShape and executorShape must be of one family, such as VM.Standard.E4",
    ),
    "a fixed and a flexible shape of two families": (
        _with(executorShape="VM.Standard2.1"),
        "driverShape and executorShape must be of one family, such as VM.Standard.E4",
    ),
    "a flexible driver without a size": (
        _with(driverShapeConfig=None),
        "driverShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a size of a fixed driver": (
        _with(driverShape="VM.Standard2.1"),
        "driverShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a flexible executor without a size": (
        _with(executorShape="VM.Standard.E4.Flex"),
        "executorShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a size of a fixed executor": (
        _with(
            driverShape="VM.Standard2.1",
            driverShapeConfig=None,
            executorShape="VM.Standard2.1",
            executorShapeConfig=SIZE,
        ),
        "executorShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a size of executors without their shape": (
        _with(executorShapeConfig=SIZE),
        "executorShapeConfig goes with executorShape",
    ),
    "a size without memory": (
        _with(driverShapeConfig={"ocpus": 1}),
        "driverShapeConfig.memoryInGBs: Required value",
    ),
    "variables of the driver as properties": (
        _with(sparkConfiguration={"spark.driverEnv.A": "1"}),
        "variables of driver and executors are those of spec.env",
    ),
    "variables of the executors as properties": (
        _with(sparkConfiguration={"spark.executorEnv.A": "1"}),
        "variables of driver and executors are those of spec.env",
    ),
    "another master": (
        _with(sparkConfiguration={"spark.master": "local[2]"}),
        "spark.master, spark.submit.deployMode and spark.kubernetes are set by Data Flow",
    ),
    "properties of Kubernetes": (
        _with(sparkConfiguration={"spark.kubernetes.namespace": "x"}),
        "spark.master, spark.submit.deployMode and spark.kubernetes are set by Data Flow",
    ),
    "an idle time-out of a batch": (
        _with(idleTimeoutInMinutes=30),
        "idleTimeoutInMinutes needs type SESSION",
    ),
    "a pool by OCID and by name": (
        _with(poolId="ocid1.dataflowpool.oc1.iad.a", poolName="pool"),
        "give poolId or poolName, not both",
    ),
    "SCALA without its main class": (
        _with(language="SCALA"),
        "runtime.spark.className is needed for SCALA and JAVA, and only for them",
    ),
    "PYTHON with a main class": (
        manifests.spark_job(code={"className": "org.example.Main"}),
        "runtime.spark.className is needed for SCALA and JAVA, and only for them",
    ),
    "fewer executors at most than at least": (
        _with(dynamicAllocation={"minExecutors": 3, "maxExecutors": 2}),
        "minExecutors must not be more than maxExecutors",
    ),
    "no executors": (_with(numExecutors=0), "should be greater than or equal to 1"),
    "a session with code": (
        _with(type="SESSION"),
        "runtime.spark.source is needed, unless infrastructure.dataFlow.type is SESSION",
    ),
    "a batch without code": (
        manifests.spark_job(code={"source": None, "entrypoint": "main.py"}),
        "runtime.spark.source is needed, unless infrastructure.dataFlow.type is SESSION",
    ),
    "a type that there is not": (
        _with(type="CONTINUOUS"),
        'supported values: "BATCH", "STREAMING", "SESSION"',
    ),
    "a bucket without its namespace": (
        _with(logsBucketUri="oci://logs/"),
        "spec.infrastructure.dataFlow.logsBucketUri",
    ),
    "two parameters of one name": (
        manifests.spark_job(
            code={"parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}
        ),
        "Duplicate value",
    ),
    "a run that looks for exit codes": (
        _run(
            failurePolicy={
                "rules": [
                    {
                        "action": "Retry",
                        "onExitCodes": {"operator": "In", "values": [3]},
                    }
                ]
            }
        ),
        "onExitCodes: Data Flow tells no exit code; give onLifecycleDetails",
    ),
    "a run whose record is to be deleted": (
        _run(deletionPolicy="Delete"),
        "deletionPolicy: Data Flow deletes no record of a run; leave it at Retain",
    ),
    "a run with machines of Data Science": (
        _run(infrastructure={"shapeName": "VM.Standard2.1"}),
        "infrastructure, logging and container are for Data Science: use spark",
    ),
    "a run with logging": (
        _run(logging={"enableLogging": False}),
        "infrastructure, logging and container are for Data Science: use spark",
    ),
    "a run with a container": (
        _run(container={"cmd": ["x"]}),
        "infrastructure, logging and container are for Data Science: use spark",
    ),
    "a run of Data Science with Spark": (
        _run(of=manifests.job(), spark={"numExecutors": 2}),
        "spark needs a job with infrastructure.dataFlow",
    ),
    "a run with shapes of two families": (
        manifests.run(spark={"driverShape": "VM.Standard2.1", "executorShape": "VM.Standard.A1.1"}),
        "driverShape and executorShape must be of one family, such as VM.Standard.E4",
    ),
    "a run with a flexible shape without a size": (
        manifests.run(spark={"driverShape": "VM.Standard.E4.Flex"}),
        "driverShapeConfig is needed with a shape whose name ends with .Flex, and only with it",
    ),
    "a run with variables as properties": (
        manifests.run(spark={"sparkConfiguration": {"spark.executorEnv.A": "1"}}),
        "variables of driver and executors are those of spec.env",
    ),
    "a bucket of an identity that is none": (
        manifests.identity(defaults={"artifactBucketUri": "s3://bucket"}),
        "artifactBucketUri",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_api_server_refuses_it_and_names_the_rule(alone: Namespace, name: str) -> None:
    document, rule = REFUSED[name]
    said = alone.kubectl_apply(document, check=False)
    assert rule in said


@pytest.mark.parametrize(
    ("before", "after"),
    [(manifests.spark_job(), manifests.job()), (manifests.job(), manifests.spark_job())],
    ids=["to Data Science", "to Data Flow"],
)
def test_a_job_does_not_go_to_the_other_service(
    alone: Namespace, before: Spec, after: Spec
) -> None:
    alone.create(before)
    said = alone.kubectl("replace", "-f", "-", stdin=yaml.safe_dump(after), check=False)
    assert "infrastructure can't change from one service to the other: create another" in said


def test_spark_of_a_run_is_not_edited(alone: Namespace) -> None:
    alone.create(manifests.run(spark={"numExecutors": 2}))
    said = alone.kubectl_apply(manifests.run(spark={"numExecutors": 3}), check=False)
    assert "spark is immutable: create another OCIJobRun" in said
