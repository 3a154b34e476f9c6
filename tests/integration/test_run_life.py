"""A run's life, from `kubectl apply` to its end."""

import pytest
from tests.support import manifests
from tests.support.stage import Stage


@pytest.mark.real_runs
def test_a_job_and_its_run_applied_together_end_with_the_output_in_status(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    code = "import os\nprint('hello', os.environ['WHO'])\n"
    stage.kubectl_apply(
        manifests.job(files={"main.py": code}, env=[{"name": "WHO", "value": "nobody"}]),
        manifests.run(env=[{"name": "WHO", "value": "world"}]),
    )
    ended = stage.until_ended("run")
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["exitCode"] == 0
    assert ended["status"]["logs"]["tail"] == ["hello world"]
