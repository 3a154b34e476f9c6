"""Sources that nobody should survive: each is told on its own job, and the runs of others go through meanwhile."""

import hashlib
import io
import os
import signal
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.support import manifests
from tests.support.fetching import children_of
from tests.support.namespace import condition
from tests.support.stage import Stage
from tests.support.web_server import served_files


def job(name: str, **source: Any) -> dict[str, Any]:
    script = {"source": source, "entrypoint": "main.py"}
    return manifests.job(name=name, runtime={"script": script})


def empty_files(count: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for number in range(count):
            archive.addfile(tarfile.TarInfo(f"f{number}"))
    return buffer.getvalue()


def zipped(*names: str, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


POISON = {
    "many.tar.gz": (empty_files(30_000), "it has more than 10000 files and folders"),
    "long.zip": (zipped("n" * 300), "has 300 bytes, and 255 are allowed"),
    "both.zip": (zipped("d", "d/x"), "d is a file, and a folder of d/x too"),
    "bomb.zip": (zipped("main.py", content=bytes(1 << 22)), "it has more than 1000000 bytes"),
    "out.zip": (zipped("../main.py"), "leads out of the code"),
    "none.tar.xz": (b"nothing", "is not a complete archive"),
}


def holder(stage: Stage) -> tuple[str, int]:
    """Return who leads, and how often that has changed."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{stage.home}/leases/ocijobs-operator"
    spec = stage.cluster.api().request("GET", path)["spec"]
    return spec["holderIdentity"], spec.get("leaseTransitions", 0)


@pytest.mark.settings(artifact_limit_bytes=1_000_000, staging_namespace_limit_bytes=1_000_000)
def test_each_poison_is_told_and_the_runs_of_others_go_through(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(name="good"))
    stage.until_synced("good")
    leader = holder(stage)
    with served_files() as web:
        names = {}
        for number, (path, (content, words)) in enumerate(POISON.items()):
            web.content[path] = content
            http = {"url": f"{web.url}{path}", "sha256": hashlib.sha256(content).hexdigest()}
            names[f"poison-{number}"] = words
            stage.apply(job(f"poison-{number}", http=http))
        stage.create(manifests.run(of="good"))
        assert stage.until_ended("run")["status"]["phase"] == "Succeeded"
        for name, words in names.items():
            told = condition(stage.until_reason("OCIJob", name, "InvalidSpec"), "Ready")
            assert told["status"] == "False"
            assert told["message"].startswith("spec.runtime.script.source: ")
            assert words in told["message"]
    assert holder(stage) == leader


@pytest.mark.settings(source_cpu_seconds=1, source_files_limit=1_000_000)
def test_what_ends_the_process_twice_is_set_aside_across_a_restart(stage: Stage) -> None:
    stage.identity()
    content = empty_files(60_000)
    with served_files() as web:
        web.content["many.tar.gz"] = content
        http = {"url": f"{web.url}many.tar.gz", "sha256": hashlib.sha256(content).hexdigest()}
        stage.apply(job("poison", http=http))
        told = stage.until(
            "OCIJob", "poison", lambda o: "failure" in o["status"].get("reading", {})
        )
        assert condition(told, "Ready")["reason"] == "SourceUnreachable"
        assert (
            "1 s of processor time (setting sourceCpuSeconds)"
            in (condition(told, "Ready")["message"])
        )
        aside = stage.until_reason("OCIJob", "poison", "SourceQuarantined")
        ready = condition(aside, "Ready")
        assert (ready["status"], aside["status"]["reading"]["attempts"]) == ("False", 2)
        assert "it is tried again at" in ready["message"]
        stage.until_event("poison", "SourceQuarantined")
        asked = len(web.asked)
        stage.operator.stop()
        stage.start_operator(source_cpu_seconds=1, source_files_limit=1_000_000)
        stage.apply(manifests.job(name="good"))
        stage.until_synced("good")
        assert stage.get("OCIJob", "poison")["status"]["reading"] == aside["status"]["reading"]
        assert len(web.asked) == asked
        # Whoever has mended it, or wants to see, asks.
        stage.kubectl("annotate", "ocijob/poison", "ocijobs.io/requestedAt=now")
        stage.until(
            "OCIJob",
            "poison",
            lambda o: o["status"]["reading"].get("requested") is not None,
        )


@pytest.mark.no_operator
def test_an_operator_has_a_fetcher_of_its_own_that_ends_with_it_and_is_started_again(
    stage: Stage, tmp_path: Path
) -> None:
    place = tmp_path / "s"
    operator = stage.made(fetcher_url="", staging_folder=str(place)).start()
    stage.operator = operator
    stage.identity()
    stage.apply(manifests.job(name="first"))
    stage.until_synced("first")
    [fetcher, *_] = children_of(operator.pid)
    variables = Path(f"/proc/{fetcher}/environ").read_bytes()
    # It has nothing by which the cluster could be reached, and none of the settings.
    assert not [w for w in (b"KUBECONFIG", b"OCIJOBS_", b"KUBERNETES_") if w in variables]
    os.kill(fetcher, signal.SIGKILL)
    stage.apply(manifests.job(name="second"))
    stage.until_synced("second")
    [fetcher, *_] = children_of(operator.pid)
    operator.kill()
    # What was killed leaves nothing running, and what it left on disk goes with the next one's start.
    left = [each for each in place.iterdir() if each.is_dir()]
    assert left
    stage.start_operator(staging_folder=str(place))
    stage.apply(manifests.job(name="third"))
    stage.until_synced("third")
    assert not any(each.exists() for each in left)
    assert not Path(f"/proc/{fetcher}/exe").exists()
