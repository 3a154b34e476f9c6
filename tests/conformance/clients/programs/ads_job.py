"""Creates, runs, watches, updates, cancels and deletes a job with oracle-ads.

Arguments: the runtime, a directory with its sources, and JSON with what tells it where. The last
line of its output is JSON: what it saw.
"""

import json
import sys
from pathlib import Path
from typing import Any

import ads
from ads.jobs import (
    ContainerRuntime,
    DataScienceJob,
    GitPythonRuntime,
    Job,
    NotebookRuntime,
    PythonRuntime,
    PyTorchDistributedRuntime,
    ScriptRuntime,
)

SLUG = "generalml_p311_cpu_x86_64_v1"


def runtime_of(kind: str, sources: Path, where: dict[str, str]) -> Any:
    outputs = f"oci://outputs@{where['namespace']}/{kind}-{where['way']}"
    match kind:
        case "python":
            return (
                PythonRuntime()
                .with_service_conda(SLUG)
                .with_source(str(sources / "project"), entrypoint="package/main.py")
                .with_python_path("package")
                .with_working_dir("project")
                .with_argument("positional", key="a value")
                .with_output("outputs", outputs)
            )
        case "script":
            return (
                ScriptRuntime().with_source(str(sources / "script.sh")).with_argument("one", "two")
            )
        case "archive":
            return ScriptRuntime().with_source(
                str(sources / "project"), entrypoint="project/run.sh"
            )
        case "notebook":
            return (
                NotebookRuntime()
                .with_service_conda(SLUG)
                .with_notebook(str(sources / "notebook.ipynb"))
                .with_exclude_tag("skip")
                .with_output(outputs)
            )
        case "gitPython":
            return (
                GitPythonRuntime()
                .with_service_conda(SLUG)
                .with_source(str(sources / "repository"), branch="main")
                .with_entrypoint("main.py", func="train")
                .with_argument(alpha="0.5")
            )
        case "container":
            return (
                ContainerRuntime()
                .with_image("iad.ocir.io/mytenancy/train:1")
                .with_entrypoint(["python", "-m"])
                .with_cmd(["train"])
            )
        case "pyTorchDistributed":
            return (
                PyTorchDistributedRuntime()
                .with_service_conda(SLUG)
                .with_source(str(sources / "project"))
                .with_command("package/main.py")
                .with_replica(2)
            )
    raise SystemExit(f"no runtime {kind}")


def infrastructure_of(where: dict[str, str]) -> Any:
    infrastructure = (
        DataScienceJob()
        .with_compartment_id(where["tenancy"])
        .with_project_id(where["project"])
        .with_shape_name("VM.Standard.E4.Flex")
        .with_shape_config_details(ocpus=1, memory_in_gbs=16)
        .with_block_storage_size(50)
    )
    if where["way"] == "plain":
        # ADS gives its client of Logging no other endpoint than that of the region.
        return infrastructure
    return infrastructure.with_log_group_id(where["logGroup"])


def main() -> None:
    kind, sources, where = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    options = {"service_endpoint": where["http"]} if where["way"] == "plain" else {}
    ads.set_auth("api_key", oci_config_location=where["config"], client_kwargs=options)
    runtime = runtime_of(kind, sources, where).with_environment_variable(GREETING="hello")
    job = (
        Job(name=f"ads-{kind}").with_infrastructure(infrastructure_of(where)).with_runtime(runtime)
    )
    job.create()
    seen: dict[str, Any] = {"read": Job.from_datascience_job(job.id).runtime.to_dict()["type"]}

    # ADS overrides variables alone; whether the arguments of the job remain then is a rule.
    overrides = {"env_var": {"GREETING": "hallo"}} if kind == "notebook" else {}
    run = job.run(name=f"ads-{kind}-run", **overrides)
    run = run[0] if isinstance(run, list) else run
    run.watch(interval=1, wait=0)
    seen |= {"status": run.status, "exitCode": run.exit_code, "details": run.lifecycle_details}
    seen["logs"] = [line["message"] for line in run.logs()] if where["way"] == "proxy" else []

    doomed = job.run(freeform_tags={"emulator.plan": json.dumps({"inProgress": 600})})
    doomed = doomed[0] if isinstance(doomed, list) else doomed
    doomed.cancel()
    seen["cancelled"] = doomed.status
    seen["listed"] = len(job.run_list())
    job.delete()
    seen["deleted"] = Job.from_datascience_job(job.id).infrastructure.dsc_job.lifecycle_state
    sys.stdout.write(json.dumps(seen) + "\n")


main()
