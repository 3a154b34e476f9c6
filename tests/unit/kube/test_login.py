"""One login for all that asks the API server: it is taken anew when it is refused or expires, once for everybody."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.api_server import ApiServer, Fault
from tests.support.certificates import (
    Issued,
    authority,
    client_certificate,
    server_certificate,
)
from tests.support.logins import ExecPlugin, kubeconfig_for, with_cluster
from tests.support.patience import patience

from ocijobs.controller.store import Store
from ocijobs.controller.streams import Answers, Streams, Watched, WatchTimes
from ocijobs.controller.watch import watch
from ocijobs.kube import login as login_module
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.login import Login, NoClusterError, load_login

pytestmark = pytest.mark.asyncio

PATH = "/apis/ocijobs.io/v1alpha1/ocijobs"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with asyncio.timeout(patience(50)):
        async with ApiServer() as server:
            yield server


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a login be taken anew at once; a test of its own says when it is not."""
    monkeypatch.setattr(login_module, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def plugin(tmp_path: Path) -> ExecPlugin:
    return ExecPlugin(tmp_path / "plugin")


async def log_in(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: Mapping[str, object]
) -> Login:
    path = kubeconfig_for(server.url, tmp_path / "config", user)
    monkeypatch.setenv("KUBECONFIG", str(path))
    return await load_login()


async def listed(login: Login) -> None:
    """Ask the server for something.

    Raises:
        ApiError: if it refuses.
    """
    async with KubeClient(login, connections=8) as client:
        await client.request("GET", PATH, resource="ocijobs")


async def test_a_token_in_a_file_is_read_again_when_it_is_refused(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a ServiceAccount is replaced on disk."""
    file = tmp_path / "token"
    file.write_text("first\n")
    server.token = "first"
    login = await log_in(server, tmp_path, monkeypatch, {"tokenFile": str(file)})
    await listed(login)
    server.token = "second"
    with pytest.raises(ApiError, match="401"):
        await listed(login)
    file.write_text("second\n")
    await listed(login)


async def test_a_plugin_is_run_again_when_its_token_is_refused(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    plugin.gives("first")
    server.token = "first"
    login = await log_in(server, tmp_path, monkeypatch, plugin.user)
    await listed(login)
    assert plugin.runs == 1
    plugin.gives("second")
    server.token = "second"
    await listed(login)
    assert plugin.runs == 2


async def test_a_plugin_is_run_before_its_token_expires_and_nobody_waits(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    monkeypatch.setattr(login_module, "_AHEAD_SECONDS", 3600.0)
    # Another one is due when three quarters of its life are over.
    plugin.gives("first", seconds=0.4)
    login = await log_in(server, tmp_path, monkeypatch, plugin.user)
    plugin.gives("second", seconds=3600)
    while plugin.runs < 2:
        await listed(login)
    server.token = "second"
    await listed(login)
    assert plugin.runs == 2


async def test_who_is_refused_at_the_same_time_logs_in_once(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    """Requests, the lease and the watch have loops of their own."""
    plugin.gives("first")
    login = await log_in(server, tmp_path, monkeypatch, plugin.user)
    plugin.gives("second")
    server.token = "second"

    def elsewhere() -> None:
        asyncio.run(listed(login))

    threads = [threading.Thread(target=elsewhere) for _ in range(3)]
    for thread in threads:
        thread.start()
    await asyncio.gather(*(listed(login) for _ in range(5)))
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert plugin.runs == 2


async def test_a_server_that_refuses_everybody_has_no_plugin_run_again_and_again(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    monkeypatch.setattr(login_module, "_PAUSE_SECONDS", 3600.0)
    plugin.gives("token")
    login = await log_in(server, tmp_path, monkeypatch, plugin.user)
    server.fail(Fault.UNAUTHORIZED)
    for _ in range(5):
        with pytest.raises(ApiError, match="401"):
            await listed(login)
    assert plugin.runs == 1


async def test_a_plugin_that_fails_leaves_the_former_login(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    plugin.gives("token")
    server.token = "token"
    login = await log_in(server, tmp_path, monkeypatch, plugin.user)
    plugin.fails()
    server.fail(Fault.UNAUTHORIZED)
    with pytest.raises(ApiError, match="401"):
        await listed(login)
    assert plugin.runs == 2
    server.heal()
    await listed(login)


async def test_without_a_login_the_operator_does_not_start(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    """It would go on as an anonymous user, whom most clusters answer 403."""
    plugin.fails()
    with pytest.raises(NoClusterError, match="the exec plugin gave no login"):
        await log_in(server, tmp_path, monkeypatch, plugin.user)


async def test_the_watch_has_the_login_of_the_requests(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: ExecPlugin
) -> None:
    plugin.gives("first")
    server.token = "first"
    store, changed = Store(), asyncio.Event()
    store.listen(lambda *_: changed.set())
    watched = Watched(
        store=store,
        login=await log_in(server, tmp_path, monkeypatch, plugin.user),
        streams=Streams(),
        answers=Answers(),
        gap=lambda: None,
        namespaces=(),
        times=WatchTimes(longest_pause_seconds=0.1),
    )
    task = asyncio.create_task(watch(watched))
    await server.put("ocijobs", "one")
    await changed.wait()
    plugin.gives("second")
    server.token = "second"
    # Those who watch have to ask again, with a token that is no more.
    server.fail(Fault.RESET)
    await server.until_failed("ocijobs", times=1)
    server.heal()
    changed.clear()
    await server.put("ocijobs", "two")
    await changed.wait()
    assert plugin.runs == 2
    assert set(server.authorizations) == {"Bearer first", "Bearer second"}
    task.cancel()
    await asyncio.wait([task])


async def test_another_server_is_not_shown_the_login(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocijobs.kube.session import open_session  # noqa: PLC0415 - what all else is made with

    login = await log_in(server, tmp_path, monkeypatch, {"token": "secret"})
    async with ApiServer() as other, open_session(login, connections=1) as session:
        async with session.get(f"{other.url}/api"):
            assert other.authorizations == [None]
        async with session.get(f"{server.url}/api"):
            assert server.authorizations == ["Bearer secret"]


@pytest.mark.parametrize(
    ("cluster", "problem"),
    [
        ({"tls-server-name": "kubernetes.default.svc"}, None),
        ({}, "certificate is not valid for '127.0.0.1'"),
        ({"insecure-skip-tls-verify": True}, None),
    ],
)
async def test_the_name_that_the_certificate_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: dict[str, object], problem: str | None
) -> None:
    """Where the API server is reached by an address of a tunnel or a load balancer."""
    issuer = authority("kubernetes")
    issued = server_certificate(issuer, "kubernetes.default.svc", "10.96.0.1")
    for name, content in (
        ("crt", issued.certificate),
        ("key", issued.key),
        ("ca", issuer.certificate),
    ):
        (tmp_path / name).write_bytes(content)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    async with ApiServer(tls) as server:
        path = kubeconfig_for(server.url, tmp_path / "config", {"token": "me"})
        trusted = {} if "insecure-skip-tls-verify" in cluster else {"certificate-authority": "ca"}
        with_cluster(path, **trusted, **cluster)
        monkeypatch.setenv("KUBECONFIG", str(path))
        login = await load_login()
        if problem is None:
            await listed(login)
            return
        with pytest.raises(ApiError, match=problem):
            await listed(login)


async def test_a_certificate_that_was_replaced_is_shown_when_the_former_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files beside the kubeconfig, which others renew; connections that have shown the former go on with it."""
    issuer = authority("kubernetes")
    (tmp_path / "ca").write_bytes(issuer.certificate)
    _write(tmp_path / "server", server_certificate(issuer, "localhost", "127.0.0.1"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "ca"))
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    tls.verify_mode = ssl.CERT_REQUIRED
    async with ApiServer(tls) as server:
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        path = kubeconfig_for(server.url, tmp_path / "config", user)
        with_cluster(path, **{"certificate-authority": "ca"})
        monkeypatch.setenv("KUBECONFIG", str(path))
        _write(tmp_path / "me", client_certificate(issuer, "first"))
        server.user = "first"
        async with KubeClient(await load_login(), connections=8) as client:
            await client.request("GET", PATH, resource="ocijobs")
            server.user = "second"
            with pytest.raises(ApiError, match="401"):
                await client.request("GET", PATH, resource="ocijobs")
            _write(tmp_path / "me", client_certificate(issuer, "second"))
            await client.request("GET", PATH, resource="ocijobs")


def _write(path: Path, issued: Issued) -> None:
    path.with_suffix(".crt").write_bytes(issued.certificate)
    path.with_suffix(".key").write_bytes(issued.key)
