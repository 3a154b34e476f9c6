"""Distributed training with the real PyTorch, over gloo, on nodes of one run."""

import io
import subprocess
import tarfile

import oci
import pytest
from tests.support import manifests
from tests.support.stage import Stage

pytestmark = [pytest.mark.real_runs, pytest.mark.breadth]

DEBIANS_PYTHON = "/usr/bin/python3"
"""It has Debian's python3-torch, which is a tenth of what PyPI's brings: `make torch`."""

TRAIN = """
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
weights = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(weights)
if dist.get_rank() == 0:
    print(f"{dist.get_world_size()} nodes, weights {weights.item():g}", flush=True)
dist.destroy_process_group()
"""


def published_environment(stage: Stage) -> str:
    """Publish a conda environment whose Python is Debian's, and return its address."""
    wrapper = f'#!/bin/sh\nexec {DEBIANS_PYTHON} "$@"\n'.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("bin/python")
        info.size, info.mode = len(wrapper), 0o755
        archive.addfile(info, io.BytesIO(wrapper))
    bucket = stage.bucket("environments")
    client = stage.oci_client(oci.object_storage.ObjectStorageClient)
    client.put_object(stage.emulator.namespace, "environments", "torch", buffer.getvalue())
    return f"{bucket}/torch"


@pytest.mark.skipif(
    subprocess.run(
        [DEBIANS_PYTHON, "-c", "import torch"], capture_output=True, check=False
    ).returncode
    != 0,
    reason="there is no torch here: make torch",
)
def test_nodes_train_together(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    torch = {
        "conda": {"type": "published", "uri": published_environment(stage)},
        "source": {"inline": {"train.py": TRAIN}},
        "replicas": 2,
        "entrypoint": "train.py",
    }
    # Debian's torch is older than its Python, and its torchrun does not understand its own defaults of these.
    env = [{"name": f"PET_{option}", "value": "0:1"} for option in ("TEE", "REDIRECTS")]
    job = manifests.job(runtime={"pyTorchDistributed": torch}, env=env)
    stage.apply(job, manifests.run())
    ended = stage.until_ended("run", seconds=180)
    assert ended["status"]["phase"] == "Succeeded", "\n".join(ended["status"]["logs"]["tail"])
    assert "2 nodes, weights 3" in "\n".join(ended["status"]["logs"]["tail"])
