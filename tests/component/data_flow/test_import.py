"""An application that was made elsewhere, as a manifest: `kubectl ocijobs import`."""

from dataclasses import replace
from uuid import uuid4

import pytest
import yaml
from click.testing import CliRunner
from tests.component.data_flow.conftest import MACHINE, SPARK, Flow

from ocijobs.api.job.spec import OCIJob
from ocijobs.backends.data_flow.application import bound_application
from ocijobs.cli.__main__ import main

pytestmark = pytest.mark.asyncio


async def test_an_application_becomes_a_job_that_makes_another_like_it(flow: Flow) -> None:
    settings = flow.request().settings
    configuration = {
        "dataflow.auth": "resource_principal",
        "spark.driverEnv.A": "1",
        "spark.executorEnv.A": "1",
        "spark.sql.shuffle.partitions": "8",
    }
    spark = replace(
        SPARK,
        configuration=configuration,
        executor=replace(MACHINE, ocpus=2, memory_in_gbs=32),
        max_duration_in_minutes=30,
    )
    made = await flow.application(uuid4().hex, settings=replace(settings, spark=spark))
    emulator = flow.emulator
    arguments = ("import", made.id, "--config", str(emulator.config), "--endpoint", emulator.http)
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "the application stays as it is" in done.stderr
    document = yaml.safe_load(done.stdout)
    spec = document["spec"]
    assert "adopt" not in spec
    assert spec["env"] == [{"name": "A", "value": "1"}]
    assert spec["args"] == ["--day", "${day}"]
    assert spec["maximumRuntimeInMinutes"] == 30
    assert spec["runtime"]["spark"]["source"] == {"objectStorage": {"uri": flow.uri("main.py")}}
    meta = {"namespace": "a", "uid": "u", "resourceVersion": "1", "generation": 1}
    created = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    job = OCIJob.model_validate(
        {**document, "metadata": {**document["metadata"], **meta, **created}, "status": {}}
    )
    application = bound_application(job.spec, None, None)
    assert application is not None
    assert application.executor_shape_config is not None
    assert application.executor_shape_config.ocpus == 2
    assert application.configuration == {
        "dataflow.auth": "resource_principal",
        "spark.sql.shuffle.partitions": "8",
    }
