"""Writes the YAML of a job of every runtime with oracle-ads, or reads YAML with it and prints what it understood.

Arguments: `write` and a folder with sources; `read` and a file; or `keys`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ads.jobs import (
    ContainerRuntime,
    DataFlow,
    DataFlowRuntime,
    DataScienceJob,
    GitPythonRuntime,
    Job,
    NotebookRuntime,
    PythonRuntime,
    PyTorchDistributedRuntime,
    ScriptRuntime,
)

SLUG = "generalml_p311_cpu_x86_64_v1"
URL = "https://github.com/example/training"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OUTPUTS = "oci://models@mytenancy/${JOB_RUN_OCID}"


def runtimes(sources: Path) -> dict[str, Any]:
    """Return a runtime of each type, with every key that it has."""
    project = str(sources / "project")
    return {
        "script": ScriptRuntime()
        .with_source(project, entrypoint="project/run.sh")
        .with_service_conda(SLUG),
        "single": ScriptRuntime().with_source(str(sources / "train.py")),
        "python": PythonRuntime()
        .with_custom_conda("oci://envs@mytenancy/training/1.0", region="us-phoenix-1")
        .with_source(project)
        .with_entrypoint("src/main.py")
        .set_spec("entryFunction", "train")
        .with_working_dir("project")
        .with_python_path("lib")
        .with_output("models", OUTPUTS),
        "notebook": NotebookRuntime()
        .with_service_conda(SLUG)
        .with_notebook(str(sources / "explore.ipynb"), encoding="utf-8")
        .with_exclude_tag("debug", "slow")
        .with_output(OUTPUTS),
        "gitPython": GitPythonRuntime(skip_metadata_update=True)
        .with_service_conda(SLUG)
        .with_source(URL, branch="main", commit=COMMIT, secret_ocid="ocid1.vaultsecret.oc1.iad.a")
        .with_entrypoint("src/main.py", func="train")
        .with_working_dir("src")
        .with_python_path("lib")
        .with_output("models", OUTPUTS),
        "container": ContainerRuntime()
        .with_replica(2)
        .with_image(
            "iad.ocir.io/mytenancy/train:1",
            entrypoint=["/bin/sh", "-c"],
            cmd=["train", "--all"],
            image_digest="sha256:" + "0" * 64,
            image_signature_id="ocid1.containerimagesignature.oc1.iad.a",
        ),
        "pyTorchDistributed": PyTorchDistributedRuntime()
        .with_service_conda(SLUG)
        .with_replica(2)
        .with_git(URL, branch="main")
        .with_inputs({"oci://data@mytenancy/train": "data"})
        .with_dependency(pip_req="requirements.txt", pip_pkg="transformers")
        .with_command("torchrun train.py --epochs 3")
        .with_output("models", OUTPUTS),
    }


def infrastructure() -> Any:
    return (
        DataScienceJob()
        .with_compartment_id("ocid1.compartment.oc1..a")
        .with_project_id("ocid1.datascienceproject.oc1.iad.a")
        .with_shape_name("VM.Standard.E4.Flex")
        .with_shape_config_details(memory_in_gbs=16, ocpus=1)
        .with_block_storage_size(100)
        .with_subnet_id("ocid1.subnet.oc1.iad.a")
        .with_log_group_id("ocid1.loggroup.oc1.iad.a")
        .with_log_id("ocid1.log.oc1.iad.a")
        .with_storage_mount(
            {"src": "oci://data@mytenancy/prefix", "dest": "/mnt/data"},
            {
                "src": "ocid1.mounttarget.oc1.iad.a:ocid1.export.oc1.iad.b",
                "dest": "scratch",
            },
        )
        .with_freeform_tag(team="a")
        .with_defined_tag(costs={"center": "7"})
    )


def spark() -> Any:
    """Return a runtime of Data Flow, with every key that says something."""
    runtime = (
        DataFlowRuntime()
        .with_script_bucket("oci://code@mytenancy/spark")
        .with_custom_conda("oci://envs@mytenancy/spark/1.0", region="us-phoenix-1")
        .with_archive_uri("oci://code@mytenancy/archive.zip")
        .with_configuration(
            {
                "spark.sql.shuffle.partitions": "8",
                "spark.driverEnv.MODE": "$(fast)",
                "spark.executorEnv.MODE": "$(fast)",
                "spark.dynamicAllocation.enabled": "true",
                "spark.dynamicAllocation.shuffleTracking.enabled": "true",
                "spark.dynamicAllocation.minExecutors": "1",
                "spark.dynamicAllocation.maxExecutors": "4",
            }
        )
    )
    return runtime.with_argument("one", "two words", "$${x}", "$(y)")


def data_flow() -> Any:
    """Return an infrastructure of Data Flow, with every key that says something."""
    return (
        DataFlow()
        .with_compartment_id("ocid1.compartment.oc1..a")
        .with_language("PYTHON")
        .with_spark_version("3.5.0")
        .with_driver_shape("VM.Standard.E4.Flex")
        .with_driver_shape_config(ocpus=1, memory_in_gbs=16)
        .with_executor_shape("VM.Standard.E4.Flex")
        .with_executor_shape_config(ocpus=2, memory_in_gbs=32)
        .with_num_executors(2)
        .with_pool_id("ocid1.dataflowpool.oc1.iad.a")
        .with_private_endpoint_id("ocid1.dataflowprivateendpoint.oc1.iad.a")
        .with_metastore_id("ocid1.datacatalogmetastore.oc1.iad.a")
        .with_warehouse_bucket_uri("oci://warehouse@mytenancy/tables")
        .with_logs_bucket_uri("oci://logs@mytenancy/")
        .with_freeform_tag(team="a")
        .with_defined_tag(costs={"center": "7"})
    )


def _data_flow_keys() -> set[str]:
    """Return the keys of the infrastructure; the sizes of shapes are keys within keys."""
    sizes = {DataFlow.CONST_OCPUS, DataFlow.CONST_MEMORY_IN_GBS}
    mapped = {key for name, key in DataFlow.attribute_map.items() if name not in sizes}
    return {*mapped, DataFlow.CONST_LANGUAGE}


def _constants(each: Any) -> set[str]:
    """Return the keys that a runtime has besides those that it maps: ADS takes any."""
    names = {
        PyTorchDistributedRuntime: ("CONST_GIT", "CONST_INPUT", "CONST_DEP", "CONST_COMMAND"),
        ContainerRuntime: ("CONST_REPLICA", "CONST_SCRIPT_PATH"),
        DataFlowRuntime: ("CONST_CONDA", "CONST_ARCHIVE_BUCKET"),
    }.get(each, ())
    common = () if each is DataScienceJob else ("CONST_MAXIMUM_RUNTIME_IN_MINUTES",)
    return {value for name in (*names, *common) if (value := getattr(each, name, None))}


if sys.argv[1] == "write":
    for kind, runtime in runtimes(Path(sys.argv[2])).items():
        runtime.with_environment_variable(BASE="3", DEPTH="${BASE}")
        runtime.with_argument("one", "two words") if kind != "container" else runtime
        runtime.with_maximum_runtime_in_minutes(30)
        job = Job(name=f"train-{kind.lower()}", infrastructure=infrastructure(), runtime=runtime)
        job.to_yaml(uri=str(Path(sys.argv[2]) / f"{kind}.yaml"))
    # A script that ADS would upload, and one that is in Object Storage.
    for kind, script in {
        "dataFlow": str(Path(sys.argv[2]) / "train.py"),
        "stored": "oci://code@mytenancy/main.py",
    }.items():
        runtime = spark().with_script_uri(script).with_maximum_runtime_in_minutes(30)
        job = Job(name=f"train-{kind.lower()}", infrastructure=data_flow(), runtime=runtime)
        job.to_yaml(uri=str(Path(sys.argv[2]) / f"{kind}.yaml"))
elif sys.argv[1] == "keys":
    classes = (ScriptRuntime, PythonRuntime, NotebookRuntime, GitPythonRuntime, ContainerRuntime)
    more = (PyTorchDistributedRuntime, DataFlowRuntime, DataScienceJob)
    keys = {
        each().type: sorted({*each.attribute_map, *_constants(each)}) for each in (*classes, *more)
    }
    # Infrastructure and runtime of Data Flow have the same type.
    flow = {"infrastructure of Data Flow": sorted(_data_flow_keys())}
    sys.stdout.write(json.dumps({**keys, **flow}) + "\n")
else:
    job = Job.from_yaml(uri=sys.argv[2])
    parts = {"infrastructure": job.infrastructure.to_dict(), "runtime": job.runtime.to_dict()}
    sys.stdout.write(json.dumps({**parts, "name": job.name}) + "\n")
