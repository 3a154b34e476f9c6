"""oci-cli and oracle-ads, as they are installed from their packages, against the emulator's Data Flow."""

import json
from pathlib import Path
from typing import Any

import oci
import pytest

from oci_emulator.testing import Emulator

pytestmark = [pytest.mark.breadth, pytest.mark.timeout(700)]

PROGRAM = Path(__file__).with_name("programs") / "ads_data_flow.py"
PLAN = {"emulator.plan": json.dumps({"output": ["from Spark"]})}
MACHINES = {
    "driver_shape": "VM.Standard2.1",
    "executor_shape": "VM.Standard2.1",
    "num_executors": "1",
    "spark_version": "3.5.0",
}


@pytest.fixture(scope="module")
def code(emulator: Emulator) -> str:
    """The URI of a script."""
    config = oci.config.from_file(str(emulator.config))
    storage = oci.object_storage.ObjectStorageClient(config, service_endpoint=emulator.http)
    storage.put_object(emulator.namespace, "outputs", "spark/main.py", b"print(1)")
    return f"oci://outputs@{emulator.namespace}/spark/main.py"


def test_the_cli_runs_an_application(client: Any, emulator: Emulator, code: str) -> None:
    where = {"compartment_id": emulator.tenancy}
    application = client.cli(
        *("data-flow", "application", "create"),
        **where,
        **MACHINES,
        display_name="from the CLI",
        language="PYTHON",
        file_uri=code,
    ).json["data"]
    assert application["lifecycle-state"] == "ACTIVE"
    run = client.cli(
        *("data-flow", "run", "create"),
        **where,
        application_id=application["id"],
        display_name="a run",
        freeform_tags=PLAN,
        wait_for_state="SUCCEEDED",
        wait_interval_seconds="1",
    ).json["data"]
    assert run["lifecycle-state"] == "SUCCEEDED"
    listed = client.cli("data-flow", "run", "list", **where, application_id=application["id"])
    assert [each["id"] for each in listed.json["data"]] == [run["id"]]
    target = Path(client.home) / "log"
    client.cli(
        *("data-flow", "run", "get-log"),
        run_id=run["id"],
        name="spark_application_stdout.log.gz",
        file=str(target),
    )
    assert target.exists()
    deleted = client.cli(
        "data-flow", "application", "delete", application_id=application["id"], force=True
    )
    assert deleted.code == 0, deleted.errors


def test_ads_runs_an_application(client: Any, emulator: Emulator, tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text("print(1)")
    where = {
        "config": str(emulator.config),
        "tenancy": emulator.tenancy,
        "namespace": emulator.namespace,
    }
    before = emulator.control("GET", "mode")
    emulator.set_mode("simulated")
    try:
        finished = client.run("python", [str(PROGRAM), str(script), json.dumps(where)])
    finally:
        emulator.set_mode(before["mode"])
    assert finished.code == 0, f"{finished.output}\n{finished.errors}"
    seen = json.loads(finished.output.splitlines()[-1])
    assert (seen["state"], seen["canceled"]) == ("SUCCEEDED", "CANCELED")
    assert (seen["again"], seen["runs"]) == ("from ADS", 2)
    assert "from Spark" in seen["log"]
