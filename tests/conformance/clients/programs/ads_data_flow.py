"""Creates an application of Data Flow with oracle-ads, runs it, reads its logs, cancels a run, deletes all.

Arguments: a script, and JSON with what tells it where. The last line of its output is JSON: what it saw.
"""

import json
import sys

import ads
from ads.jobs import DataFlow, DataFlowRuntime, Job

PLAN = "emulator.plan"


def main() -> None:
    script, where = sys.argv[1], json.loads(sys.argv[2])
    ads.set_auth("api_key", oci_config_location=where["config"])
    bucket = f"oci://outputs@{where['namespace']}"
    infrastructure = (
        DataFlow()
        .with_compartment_id(where["tenancy"])
        .with_driver_shape("VM.Standard.E4.Flex")
        .with_driver_shape_config(ocpus=1, memory_in_gbs=16)
        .with_executor_shape("VM.Standard.E4.Flex")
        .with_executor_shape_config(ocpus=1, memory_in_gbs=16)
        .with_num_executors(2)
        .with_spark_version("3.5.0")
        .with_logs_bucket_uri(f"{bucket}/")
    )
    runtime = (
        DataFlowRuntime()
        .with_script_uri(script)
        .with_script_bucket(f"{bucket}/ads-data-flow")
        .with_overwrite(True)
    )
    job = Job(name="from ADS", infrastructure=infrastructure, runtime=runtime).create()
    run = job.run(args=["1"], freeform_tags={PLAN: '{"output": ["from Spark"]}'})
    run.wait(interval=1)
    other = job.run(args=["2"], freeform_tags={PLAN: '{"inProgress": 1000}'})
    other.cancel()
    seen = {
        "state": run.status,
        "canceled": other.status,
        "log": str(run.logs.application.stdout),
        "again": Job.from_dataflow_job(job.id).name,
        "runs": len(job.run_list()),
    }
    job.delete()
    print(json.dumps(seen))


main()
