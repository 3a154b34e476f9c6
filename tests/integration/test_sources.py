"""Sources outside the manifest: what they have becomes the job's artifact, and each change of it a revision."""

import hashlib
import io
import tarfile
import zipfile
from typing import Any

import oci
import pytest
import yaml
from tests.support import manifests
from tests.support.artifacts import code
from tests.support.namespace import condition
from tests.support.stage import Stage
from tests.support.stages import until_explained
from tests.support.web_server import served_files

FILES = {"main.py": "print(1)\n", "lib/tools.py": "X = 1\n"}


def job(**source: Any) -> dict[str, Any]:
    script = {"source": source, "entrypoint": "main.py"}
    return manifests.job(runtime={"script": script})


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def synced(stage: Stage, than: str | None = None) -> dict[str, Any]:
    """Await that the job is in OCI, at another revision than the one given."""
    return stage.until(
        "OCIJob",
        "job",
        lambda o: (
            condition(o, "Ready")["reason"] == "Synced"
            and o["status"].get("revision") not in {None, than}
        ),
    )


def look_again(stage: Stage, word: str) -> None:
    """Ask for the source to be read now, as Flux's and Argo CD's users do."""
    stage.kubectl("annotate", "ocijob/job", f"ocijobs.io/requestedAt={word}", "--overwrite")


def put(stage: Stage, name: str, content: bytes) -> None:
    client = stage.oci_client(oci.object_storage.ObjectStorageClient)
    client.put_object(stage.emulator.namespace, "code", name, content)


def test_an_object_a_folder_and_an_archive_of_object_storage(stage: Stage) -> None:
    stage.identity()
    bucket = stage.bucket("code")
    put(stage, "train/main.py", b"print(1)\n")
    put(stage, "train/lib/tools.py", b"X = 1\n")
    stage.apply(job(objectStorage={"uri": f"{bucket}/train/"}))
    folder = synced(stage)
    assert code(stage, folder) == FILES
    put(stage, "archive.zip", zipped(FILES))
    stage.apply(job(objectStorage={"uri": f"{bucket}/archive.zip"}))
    archive = stage.until_synced("job")
    # The same files are the same code, wherever they come from.
    assert archive["status"]["revision"] == folder["status"]["revision"]
    stage.apply(job(objectStorage={"uri": f"{bucket}/train/main.py"}))
    single = synced(stage, than=archive["status"]["revision"])
    assert code(stage, single) == {"main.py": "print(1)\n"}
    put(stage, "train/main.py", b"print(2)\n")
    look_again(stage, "1")
    changed = synced(stage, than=single["status"]["revision"])
    assert code(stage, changed) == {"main.py": "print(2)\n"}
    assert len(changed["status"]["revisions"]) == 3


def test_a_file_from_the_web_is_held_to_its_checksum(stage: Stage) -> None:
    stage.identity()
    with served_files() as web:
        web.token = "opensesame"
        content = tarred(FILES)
        web.content["v1.tar.gz"] = content
        token = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "web"},
            "stringData": {"bearerToken": "opensesame"},
        }
        http = {"url": f"{web.url}v1.tar.gz", "sha256": "0" * 64, "secretRef": {"name": "web"}}
        stage.apply(token, job(http=http))
        told = stage.until_reason("OCIJob", "job", "InvalidSpec")
        message = condition(told, "Ready")["message"]
        assert message.startswith("spec.runtime.script.source: ")
        assert f"has SHA-256 {sha256(content)}, and http.sha256 wants 0000" in message
        assert stage.emulator.journal("CreateJob") == []
        http["sha256"] = sha256(content)
        stage.apply(job(http=http))
        assert code(stage, synced(stage)) == FILES
        asked = len(web.asked)
        stage.create(manifests.run())
        assert stage.until_ended("run")["status"]["phase"] == "Succeeded"
        # What has the checksum is never fetched again.
        assert len(web.asked) == asked


def test_a_web_address_that_is_refused_is_waited_for(stage: Stage) -> None:
    stage.identity()
    content = zipped(FILES)
    with served_files() as web:
        http = {"url": f"{web.url}code.zip", "sha256": sha256(content)}
        stage.apply(job(http=http))
        told = stage.until_reason("OCIJob", "job", "WaitingForSource")
        assert "the server answers 404" in condition(told, "Ready")["message"]
        web.content["code.zip"] = content
        assert code(stage, synced(stage)) == FILES


def test_the_metadata_service_is_no_source(stage: Stage) -> None:
    stage.identity()
    with served_files() as web:
        web.redirects["code.py"] = "http://169.254.169.254/opc/v2/identity/cert.pem"
        http = {"url": f"{web.url}code.py", "sha256": "0" * 64}
        stage.apply(job(http=http))
        told = stage.until_reason("OCIJob", "job", "WaitingForSource")
        message = condition(told, "Ready")["message"]
        assert "sources may not come from 169.254.169.254" in message
        assert "sourceDeniedNetworks" in message


@pytest.fixture
def flux(stage: Stage) -> Stage:
    """A stage whose cluster has the kind GitRepository of Flux, as far as its status is concerned."""
    group = "source.toolkit.fluxcd.io"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gitrepositories.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "GitRepository", "plural": "gitrepositories"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    stage.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(definition))
    until_explained(stage.cluster, "gitrepositories")
    return stage


def fetched(stage: Stage, url: str, content: bytes, revision: str) -> None:
    """Say what Flux has fetched, as its controller does."""
    artifact = {"url": url, "digest": f"sha256:{sha256(content)}", "revision": revision}
    patch = yaml.safe_dump({"status": {"artifact": artifact}})
    stage.kubectl(
        "patch", "gitrepository/code", "--subresource=status", "--type=merge", f"--patch={patch}"
    )


def test_a_new_artifact_of_flux_makes_a_revision(flux: Stage) -> None:
    stage = flux
    stage.identity()
    stage.apply(job(flux={"kind": "GitRepository", "name": "code", "path": "src"}))
    told = stage.until_reason("OCIJob", "job", "WaitingForSource")
    assert "there is no GitRepository code of Flux" in condition(told, "Ready")["message"]
    stage.apply(
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": "code"},
            "spec": {"url": "https://example.com/code", "interval": "1m"},
        }
    )
    stage.until_told("OCIJob", "job", "has no artifact yet")
    with served_files() as web:
        first = tarred({f"src/{name}": text for name, text in FILES.items()} | {"README": "x"})
        web.content["a.tar.gz"] = first
        fetched(stage, f"{web.url}a.tar.gz", first, "main@sha1:aaaa")
        found = synced(stage)
        assert code(stage, found) == FILES
        assert found["status"]["source"]["version"].startswith("main@sha1:aaaa sha256:")
        second = tarred({"src/main.py": "print(2)\n"})
        web.content["b.tar.gz"] = second
        fetched(stage, f"{web.url}b.tar.gz", second, "main@sha1:bbbb")
        # A launch looks again by itself.
        stage.create(manifests.run())
        ended = stage.until_ended("run")
        newer = stage.get("OCIJob", "job")
        assert ended["status"]["revision"] == newer["status"]["revision"]
        assert code(stage, newer) == {"main.py": "print(2)\n"}


@pytest.mark.settings(artifact_limit_bytes=100_000)
def test_what_is_too_large_is_an_invalid_spec_and_is_not_fetched_whole(stage: Stage) -> None:
    stage.identity()
    bucket = stage.bucket("code")
    put(stage, "main.py", b"#" * 200_000)
    stage.apply(job(objectStorage={"uri": f"{bucket}/main.py"}))
    told = stage.until_reason("OCIJob", "job", "InvalidSpec")
    assert "it has more than 100000 bytes" in condition(told, "Ready")["message"]
    assert stage.emulator.journal("GetObject") == []
