"""Every runtime, run for real: its output comes back, and its files are read back from Object Storage."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import oci
import pytest
from tests.support import manifests
from tests.support.container_engine import IMAGE
from tests.support.git_server import served_repository
from tests.support.stage import Stage

CONDA = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}
WRITE = "from pathlib import Path\nPath('outputs/model.txt').write_text('the model')\n"
SECONDS = 600
"""The first run on a machine builds the emulator's conda environment."""

pytestmark = [pytest.mark.real_runs, pytest.mark.timeout(SECONDS + 60)]


def job(stage: Stage, runtime: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return manifests.job(runtime=runtime, outputs={"uri": f"{stage.bucket('runs')}/out"}, **spec)


def saved(stage: Stage, name: str) -> bytes:
    """Return an object that the run left."""
    client = stage.oci_client(oci.object_storage.ObjectStorageClient)
    content: bytes = client.get_object(stage.emulator.namespace, "runs", f"out/{name}").data.content
    return content


def names(stage: Stage) -> list[str]:
    client = stage.oci_client(oci.object_storage.ObjectStorageClient)
    listed = client.list_objects(stage.emulator.namespace, "runs", prefix="out/").data.objects
    return [item.name.removeprefix("out/") for item in listed]


def test_a_shell_script(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    code = "echo hello $1\necho 'the model' > outputs/model.txt\n"
    runtime = {"script": {"source": {"inline": {"train.sh": code}}, "conda": CONDA}}
    stage.apply(job(stage, runtime, args=["world"]), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["logs"]["tail"][0] == "hello world"
    assert saved(stage, "model.txt") == b"the model\n"


def test_a_python_function_with_modules_of_its_own(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    files = {
        "src/main.py": (
            "import json, tools\n"
            "def train(depth, *, rate='0'):\n"
            "    tools.write(f'{depth} {rate}')\n"
            "    print(json.dumps({'ocijobs.io/results': {'auc': 0.93}}))\n"
        ),
        "lib/tools.py": (
            "def write(text):\n    with open('outputs/model.txt', 'w') as f: f.write(text)\n"
        ),
    }
    runtime = {
        "python": {
            "source": {"inline": files},
            "conda": CONDA,
            "entrypoint": "src/main.py",
            "entryFunction": "train",
            "workingDir": "src",
            "pythonPath": ["lib"],
        }
    }
    described = job(stage, runtime, args=["3", "--rate", "0.1"], results=["auc"])
    stage.apply(described, manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["results"] == {"auc": "0.93"}
    assert saved(stage, "model.txt") == b"3 0.1"


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []} | cell
                for cell in cells
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    )


def test_a_notebook_is_saved_with_its_outputs(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    text = notebook(
        {"source": "answer = 6 * 7\nprint('computed')"},
        {"source": "raise SystemError", "metadata": {"tags": ["debug"]}},
        {"source": "answer"},
    )
    source = {"inline": {"explore.ipynb": text, "data.csv": "1,2\n"}}
    runtime = {"notebook": {"source": source, "conda": CONDA, "excludeTags": ["debug"]}}
    stage.apply(job(stage, runtime), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["logs"]["tail"][:2] == ["computed", "42"]
    cells = json.loads(saved(stage, "explore.ipynb"))["cells"]
    assert cells[0]["outputs"][0]["text"] in ("computed\n", ["computed\n"])
    assert cells[1]["outputs"] == []
    assert "42" in str(cells[2]["outputs"][0]["data"]["text/plain"])


def test_a_notebook_that_fails_is_saved_up_to_there(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    text = notebook(
        {"source": "print('before')"}, {"source": "1 / 0"}, {"source": "print('never')"}
    )
    runtime = {"notebook": {"source": {"inline": {"a.ipynb": text}}, "conda": CONDA}}
    stage.apply(job(stage, runtime), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert (ended["status"]["phase"], ended["status"]["exitCode"]) == ("Failed", 1)
    assert "ZeroDivisionError: division by zero" in "\n".join(ended["status"]["logs"]["tail"])
    cells = json.loads(saved(stage, "a.ipynb"))["cells"]
    assert cells[1]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert cells[2]["outputs"] == []


def test_code_in_git_runs_at_its_newest_commit_which_the_status_tells(
    stage: Stage, tmp_path: Path
) -> None:
    stage.identity(logGroupId=stage.log_group())
    with served_repository(tmp_path / "git") as repository:
        repository.commit({"src/train.py": "raise SystemExit(9)"})
        former = repository.commit({"src/train.py": f"print('first')\n{WRITE}"})
        runtime = {
            "git": {
                "url": repository.url,
                "branch": "main",
                "conda": CONDA,
                "codeDir": "src",
                "entrypoint": "train.py",
            }
        }
        stage.apply(job(stage, runtime), manifests.run())
        ended = stage.until_ended("run", seconds=SECONDS)
        assert ended["status"]["phase"] == "Succeeded"
        assert ended["status"]["commit"] == former
        assert "first" in ended["status"]["logs"]["tail"]
        assert saved(stage, "model.txt") == b"the model"
        newest = repository.commit({"src/train.py": "print('second')"})
        stage.create(manifests.run("again"))
        again = stage.until_ended("again", seconds=SECONDS)
        assert again["status"]["commit"] == newest
        assert "second" in again["status"]["logs"]["tail"]
        assert again["status"]["revision"] == ended["status"]["revision"]


def test_a_branch_that_is_gone_fails_the_run_and_says_so(stage: Stage, tmp_path: Path) -> None:
    stage.identity(logGroupId=stage.log_group())
    with served_repository(tmp_path / "git") as repository:
        repository.commit({"train.py": ""})
        git = {"url": repository.url, "branch": "gone", "conda": CONDA, "entrypoint": "train.py"}
        stage.apply(manifests.job(runtime={"git": git}), manifests.run())
        ended = stage.until_ended("run", seconds=SECONDS)
    assert (ended["status"]["phase"], ended["status"]["exitCode"]) == ("Failed", 78)
    assert "no branch, tag or commit gone" in "\n".join(ended["status"]["logs"]["tail"])


STAND_IN_TORCH = {
    "torch/__init__.py": "class cuda:\n    device_count = staticmethod(lambda: 0)\n",
    "torch/distributed/__init__.py": "",
    "torch/distributed/run.py": (
        "import os, subprocess, sys\n"
        "options = dict(w[2:].split('=', 1) for w in sys.argv[1:] if w.startswith('--nn') or '=' in w)\n"
        "rank = options['node_rank']\n"
        "program = [w for w in sys.argv[1:] if w.endswith('.py')]\n"
        "env = {**os.environ, 'RANK': rank, 'WORLD_SIZE': options['nnodes'],\n"
        "       'MASTER_ADDR': options['master_addr'], 'MASTER_PORT': options['master_port']}\n"
        "sys.exit(subprocess.call([sys.executable, *program], env=env))\n"
    ),
}
"""What torchrun does as far as a driver is concerned; test_torch.py has the real one."""

MEET = """
import os, socket
from pathlib import Path
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    with socket.create_server(place) as server:
        for _ in range(size - 1):
            server.accept()[0].close()
else:
    while True:
        try:
            socket.create_connection(place).close()
            break
        except ConnectionRefusedError:
            pass
Path("outputs/met.txt").write_text(f"{rank} of {size}")
"""


def test_distributed_training_meets_on_all_nodes(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    files = {**STAND_IN_TORCH, "train.py": MEET}
    runtime = {
        "pyTorchDistributed": {
            "source": {"inline": files},
            "conda": CONDA,
            "replicas": 2,
            "entrypoint": "train.py",
        }
    }
    stage.apply(job(stage, runtime), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]["logs"]
    assert ended["status"]["binding"]["nodes"] == 2
    assert saved(stage, "met.txt") == b"0 of 2"
    assert saved(stage, "node-1/met.txt") == b"1 of 2"


def test_groups_of_nodes_have_settings_of_their_own(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "text = ' '.join([os.environ['ROLE'], os.environ['WHO'], *sys.argv[1:]])\n"
        "Path('outputs/node.txt').write_text(text)\n"
    )
    described = job(
        stage,
        {"script": {"source": {"inline": {"main.py": code}}, "conda": CONDA}},
        env=[{"name": "ROLE", "value": "worker"}, {"name": "WHO", "value": "job"}],
        args=["some"],
        infrastructure={
            "dataScienceJob": {
                "shapeName": "VM.Standard2.1",
                "startupOrder": "IN_PARALLEL",
                "jobNodeGroups": [
                    {
                        "name": "head",
                        "env": [{"name": "ROLE", "value": "head"}],
                        "args": ["head's"],
                        "shapeName": "VM.Standard.E4.Flex",
                        "jobShapeConfigDetails": {"ocpus": 1, "memoryInGBs": 16},
                    },
                    {"name": "workers", "replicas": 2},
                ],
            }
        },
    )
    run = manifests.run(env=[{"name": "WHO", "value": "run"}])
    stage.apply(described, run)
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["binding"]["nodes"] == 3
    groups = {each["name"]: each["lifecycleState"] for each in ended["status"]["nodeGroups"]}
    assert groups == {"head": "DELETED", "workers": "DELETED"}
    assert saved(stage, "node.txt") == b"head run head's"
    assert saved(stage, "node-1/node.txt") == b"worker run some"
    assert saved(stage, "node-2/node.txt") == b"worker run some"


def test_a_container_with_its_command_and_its_files(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    container = {
        "image": IMAGE,
        "entrypoint": ["/bin/bash", "-c"],
        "cmd": ["echo $GREETING; exit 3"],
        "source": {"inline": {"train.py": "print(1)\n"}},
    }
    env = [{"name": "GREETING", "value": "hello"}]
    described = manifests.job(runtime={"container": container}, env=env)
    stage.apply(described, manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert (ended["status"]["phase"], ended["status"]["exitCode"]) == ("Failed", 3)
    assert ended["status"]["logs"]["tail"] == ["hello"]
    client = stage.oci_client(oci.data_science.DataScienceClient)
    content = client.get_job_artifact_content(ended["status"]["jobId"]).data.content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # Its files alone: nothing of the operator runs in a container.
        assert archive.namelist() == ["train.py"]


def test_a_container_without_files_has_no_artifact(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    container = {"image": IMAGE, "entrypoint": ["/bin/echo"], "cmd": ["from the image"]}
    stage.apply(manifests.job(runtime={"container": container}), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["logs"]["tail"][0] == "from the image"
    assert "artifact" not in stage.get("OCIJob", "job")["status"]
    assert stage.emulator.journal("CreateJobArtifact") == []


def test_a_variable_from_a_vault_secret_reaches_the_code_alone(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    secret = stage.emulator.add_secret("password", "opensesame")
    policies = stage.emulator.policies()
    group = next(iter(policies["dynamicGroups"]))
    allowed = f"allow dynamic-group {group} to read secret-bundles in tenancy"
    stage.emulator.set_policies([*policies["statements"], allowed], policies["dynamicGroups"])
    env = [{"name": "PASSWORD", "valueFrom": {"vaultSecretRef": {"secretId": secret}}}]
    code = "import os\nopen('outputs/x', 'w').write(os.environ['PASSWORD'][::-1])\n"
    runtime = {"script": {"source": {"inline": {"a.py": code}}, "conda": CONDA}}
    stage.apply(job(stage, runtime, env=env), manifests.run())
    ended = stage.until_ended("run", seconds=SECONDS)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]["logs"]
    assert saved(stage, "x") == b"emasesnepo"
    client = stage.oci_client(oci.data_science.DataScienceClient)
    sent = client.get_job(ended["status"]["jobId"]).data.job_configuration_details
    assert "opensesame" not in str(sent.environment_variables)
    # A run may have a value of its own instead.
    stage.create(manifests.run("own", env=[{"name": "PASSWORD", "value": "plain"}]))
    assert stage.until_ended("own", seconds=SECONDS)["status"]["phase"] == "Succeeded"
    assert saved(stage, "x") == b"nialp"
