"""What users send at the limits of what is allowed, by mistake or not: how it is planted, and what is told."""

import base64
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support import manifests
from tests.support.hostile_server import hostile_server
from tests.support.namespace import Document, condition, phase
from tests.support.stage import Stage
from tests.support.web_server import WebFiles, served_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where poison is planted: a stage, a web server of files, and one that means harm."""

    stage: Stage
    web: WebFiles
    hostile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """One sort of poison.

    Attributes:
        plant: makes the objects; their names begin with the name that it is given.
        told: returns once the operator has said, or done, what it should about them.
        plan: how the local OCI has runs of that name go.
    """

    plant: Callable[[Ground, str], None]
    told: Callable[[Ground, str], object]
    plan: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def ground(stage: Stage) -> Iterator[Ground]:
    """Give a stage's ground for as long as the block takes."""
    plans = [
        {"match": {"displayName": f"*/{name}"}, **poison.plan}
        for name, poison in POISONS.items()
        if poison.plan
    ]
    lasting = {"match": {"displayName": "*/others-*"}, "inProgress": 3600}
    stage.emulator.set_mode(plans=[lasting, *plans], default={"accepted": 0.2, "inProgress": 0.3})
    with ExitStack() as servers:
        web = servers.enter_context(served_files())
        hostile = servers.enter_context(hostile_server())
        yield Ground(stage=stage, web=web, hostile=hostile)


# Archives.


def _zip(*members: tuple[str, bytes], compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _tar(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def _many_files() -> bytes:
    return _tar(*(_member(f"f{number}") for number in range(30_000)))


def _bomb() -> bytes:
    return _zip(("main.py", b""), ("zeros", bytes(300 << 20)))


def _lying_zip() -> bytes:
    """Return a zip whose directory says that a member of 64 MiB has one byte."""
    content = _zip(("main.py", bytes(64 << 20)))
    entry = content.rindex(b"PK\x01\x02")
    return content[: entry + 24] + struct.pack("<I", 1) + content[entry + 28 :]


def _source(**source: Any) -> dict[str, Any]:
    return {"runtime": {"script": {"source": source, "entrypoint": "main.py"}}}


def _archive(content: Callable[[], bytes], suffix: str, told: str) -> Poison:
    """Return an archive on the web that a job has as its source, and words of what it is told."""

    def plant(on: Ground, name: str) -> None:
        served = content()
        on.web.content[f"{name}{suffix}"] = served
        http = {"url": f"{on.web.url}{name}{suffix}", "sha256": hashlib.sha256(served).hexdigest()}
        on.stage.apply(manifests.job(name, **_source(http=http)))

    return Poison(plant=plant, told=_job_says(told))


def _server(path: str, told: str) -> Poison:
    """Return an address of the hostile server that a job has as its source."""

    def plant(on: Ground, name: str) -> None:
        http = {"url": f"{on.hostile}{path}", "sha256": "0" * 64}
        on.stage.apply(manifests.job(name, **_source(http=http)))

    return Poison(plant=plant, told=_job_says(told))


def _repository(path: str, told: str) -> Poison:
    def plant(on: Ground, name: str) -> None:
        git = {"url": f"{on.hostile}{path}", "ref": {"branch": "main"}}
        on.stage.apply(manifests.job(name, **_source(gitRepository=git)))

    return Poison(plant=plant, told=_job_says(told))


def _job_says(text: str) -> Callable[[Ground, str], object]:
    return lambda on, name: on.stage.until_told("OCIJob", name, text, seconds=90)


# Texts.


def _printing(*lines: str) -> Poison:
    """Return a run whose output has these lines: it ends, whatever they are, and kubectl can show it."""

    def plant(on: Ground, name: str) -> None:
        on.stage.apply(manifests.job(name, results=["score"]), manifests.run(name, of=name))

    return Poison(plant=plant, told=_run_ends("Succeeded"), plan={"output": list(lines)})


def _asking(**spec: Any) -> Poison:
    """Return a run with text of a user's in its spec."""

    def plant(on: Ground, name: str) -> None:
        on.stage.apply(manifests.job(name))
        # As JSON: what the client applies, it escapes in a way that YAML has not.
        on.stage.create(manifests.run(name, of=name, **spec))

    return Poison(plant=plant, told=_run_ends("Succeeded"))


def _run_ends(how: str) -> Callable[[Ground, str], object]:
    def told(on: Ground, name: str) -> object:
        ended = on.stage.until_ended(name, seconds=90)
        assert phase(ended) == how, ended
        return on.stage.kubectl("get", "ocijobrun", name, "-o", "yaml")

    return told


ODD = "\U0001f680 \x85 \x92 \x1b[31m \u202e \u2028 \ufffe \ufeff \ud7ff \x9b31m \x00"
"""An emoji, C1 and C0 controls, an escape sequence, a bidi override, a line separator, a noncharacter, and a NUL."""


# Credentials.


def _with_secret(told: str, **data: str) -> Poison:
    """Return an identity whose Secret has this, and a job and a run of it."""

    def plant(on: Ground, name: str) -> None:
        on.stage.identity(name=name)
        secret = {"metadata": {"name": f"{name}-key"}, "apiVersion": "v1", "kind": "Secret"}
        on.stage.apply({**secret, "stringData": data}, *_of_identity(name))

    return Poison(plant=plant, told=lambda on, name: on.stage.until_told("OCIIdentity", name, told))


def _of_identity(name: str) -> tuple[Document, Document]:
    named = {"identityRef": {"name": name}}
    return manifests.job(name, **named), manifests.run(name, of=name)


def _without_secret() -> Poison:
    def plant(on: Ground, name: str) -> None:
        on.stage.apply(manifests.identity(name), *_of_identity(name))

    return Poison(
        plant=plant,
        told=lambda on, name: on.stage.until_told("OCIIdentity", name, f"{name}-key"),
    )


def _deleted_with_its_secret() -> Poison:
    """Return a job and a paused run that are deleted when their Secret is gone already."""

    def plant(on: Ground, name: str) -> None:
        stage = on.stage
        stage.identity(name=name)
        stage.apply(*_of_identity(name))
        stage.until("OCIJobRun", name, lambda o: phase(o) == "Running")
        stage.core.delete_namespaced_secret(f"{name}-key", stage.namespace)
        stage.kubectl("annotate", f"ocijobrun/{name}", "ocijobs.io/paused=true")
        stage.delete("OCIJobRun", name)
        stage.delete("OCIJob", name)

    return Poison(
        plant=plant,
        told=lambda on, name: on.stage.until(
            "OCIIdentity", name, lambda o: condition(o, "Ready")["status"] == "False"
        ),
        plan={"inProgress": 3600},
    )


# OCI's answers.


def _user_whose_calls(**fault: Any) -> Poison:
    """Return twenty runs of a user whose every call meets a fault once the job is made."""

    def plant(on: Ground, name: str) -> None:
        stage = on.stage
        user = stage.emulator.add_user(name)
        stage.identity(user.config, name)
        stage.apply(manifests.job(name, identityRef={"name": name}))
        stage.until_synced(name)
        stage.emulator.add_fault(principal=user.id, **fault)
        stage.apply(*(manifests.run(f"{name}-{n}", of=name) for n in range(20)))

    return Poison(
        plant=plant,
        told=lambda on, name: on.stage.until(
            "OCIJobRun", f"{name}-19", lambda o: bool(condition(o, "Ready")["message"])
        ),
    )


# Specs.


def _oversized() -> Poison:
    """Return a run with as many and as long variables as the definition allows."""
    env = [{"name": f"V{number}", "value": "é" * 200} for number in range(60)]
    return _asking(env=env)


def _forgotten_status() -> Poison:
    """Return a run whose status an older version wrote, that knew less, while it runs."""

    def plant(on: Ground, name: str) -> None:
        stage = on.stage
        stage.apply(manifests.job(name), manifests.run(name, of=name))
        stage.until("OCIJobRun", name, lambda o: phase(o) == "Running")
        stage.patch_status("OCIJobRun", name, {"conditions": None, "logs": None, "submit": None})

    return Poison(plant=plant, told=_run_ends("Succeeded"), plan={"inProgress": 3})


POISONS: dict[str, Poison] = {
    "archive-of-many-files": _archive(_many_files, ".tar.gz", "files"),
    "archive-bomb": _archive(_bomb, ".zip", "bytes"),
    "archive-that-lies": _archive(_lying_zip, ".zip", "archive"),
    "archive-long-name": _archive(lambda: _zip(("n" * 300, b"")), ".zip", "name"),
    "archive-file-and-folder": _archive(lambda: _zip(("d", b"x"), ("d/x", b"x")), ".zip", "d"),
    "archive-deep": _archive(lambda: _zip(("a/" * 1000 + "x", b"")), ".zip", "1024 are allowed"),
    "archive-link-out": _archive(
        lambda: _tar(_member("main.py"), _member("out", tarfile.SYMTYPE, "/etc/passwd")),
        ".tar.gz",
        "archive",
    ),
    "archive-device": _archive(
        lambda: _tar(_member("main.py"), _member("dev", tarfile.CHRTYPE)), ".tar.gz", "archive"
    ),
    "archive-broken": _archive(lambda: b"\x1f\x8b" + bytes(100), ".tar.gz", "archive"),
    "archive-odd-names": _archive(
        lambda: _zip(("main.py", b""), ("\u202egpj.exe\x85\U0001f680", b"")), ".zip", ""
    ),
    "server-slow": _server("slow.zip", "takes longer"),
    "server-endless": _server("endless.zip", "bytes"),
    "server-hung": _server("hung.zip", "takes longer"),
    "server-loop": _server("loop.zip", "redirected"),
    "repository-hung": _repository("hung.git", "takes longer"),
    "repository-endless": _repository("endless.git", "spec.runtime.script.source"),
    "text-odd": _printing(ODD, "\U0001f680" * 50),
    "text-result": _printing('{"ocijobs.io/results": {"score": "\U0001f680\\ud800\\u0085"}}'),
    "text-one-line": _printing("A" * 200_000, "the end"),
    "text-many-lines": _printing(*(f"line {n} {ODD}" for n in range(500))),
    "text-details": Poison(
        plant=_asking().plant,
        told=_run_ends("Failed"),
        plan={"outcome": "FAILED", "lifecycleDetails": f"it broke: {ODD}"},
    ),
    "spec-odd": _asking(
        env=[{"name": "GREETING", "value": "\U0001f680 \u202e"}],
        args=["\U0001f680", "\x85\u2028"],
        displayName="\U0001f680 \u202e run",
    ),
    "spec-oversized": _oversized(),
    "n" * 63: _asking(),
    "status-of-before": _forgotten_status(),
    "key-none": _with_secret("PEM", privatekey="none"),
    "key-huge": _with_secret("PEM", privatekey=base64.b64encode(bytes(400_000)).decode()),
    "secret-none": _without_secret(),
    "secret-gone": _deleted_with_its_secret(),
    "oci-throttles": _user_whose_calls(status=429, code="TooManyRequests", retryAfter=45),
    "oci-is-slow": _user_whose_calls(delay=10),
    "oci-denies": _user_whose_calls(status=401, code="NotAuthenticated"),
    "oci-fails": _user_whose_calls(status=500, code="InternalServerError"),
}
"""By name; the names are those of the objects."""
