"""The operator's login at the API server: the same for requests, the lease and the watch, in every thread.

The Kubernetes client loads it: a kubeconfig with tokens, files of tokens, certificates, exec plugins or a proxy, or the
pod's service account. It is loaded again when the API server refuses it (401), before the time at which a plugin says
that it expires, and every minute in a pod, whose token is replaced on disk. A thread of its own loads it, so that no
loop waits for files or for a plugin.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

_LOG = logging.getLogger(__name__)

_LOAD_SECONDS = 30.0
"""Seconds that an exec plugin may take."""

_PAUSE_SECONDS = 5.0
"""Least seconds between two loads. A server that refuses every login must not cause a run of the plugin for each
request.
"""

_SERVICE_ACCOUNT_SECONDS = 60.0
"""Age in seconds at which the token of a pod is read again, as in client-go. The kubelet replaces it long before it
expires.
"""

_AHEAD_SECONDS = 60.0
"""Seconds before its expiry at which a login is replaced; at most a quarter of its life."""


class NoClusterError(Exception):
    """No login was found; the message says where it was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login, as it was loaded at one time.

    Attributes:
        configuration: where the API server is, certificates, proxy.
        authorization: value of the header Authorization, or None if there are certificates only.
        certificate: content of the files of certificate and key, which may be replaced on disk.
        renew_at: when the next load is due, in monotonic time; None if only a refusal makes it due.
        expires_at: when the login expires, in monotonic time.
    """

    configuration: Configuration
    authorization: str | None = field(repr=False)
    certificate: bytes = field(default=b"", repr=False)
    renew_at: float | None = None
    expires_at: float | None = None

    def same_as(self, other: Credentials) -> bool:
        """Whether both are the same to the API server."""
        return (self.authorization, self.certificate) == (other.authorization, other.certificate)


class Login:
    """The credentials that are valid now. Every thread may call it.

    Args:
        load: loads them; it runs in any thread, one at a time, and may block.
    """

    def __init__(self, load: Callable[[], Credentials]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded_at = time.monotonic()
        self._credentials = load()

    @property
    def credentials(self) -> Credentials:
        """The login that was loaded last, valid or not."""
        return self._credentials

    @property
    def server(self) -> str:
        """URL of the API server, without a slash at its end."""
        return str(self._credentials.configuration.host).rstrip("/")

    async def current(self) -> Credentials:
        """Return the credentials. If they expire soon, others are loaded meanwhile; expired ones are waited for."""
        credentials, now = self._credentials, time.monotonic()
        if credentials.expires_at is not None and now >= credentials.expires_at:
            return await self.after(credentials)
        if credentials.renew_at is not None and now >= credentials.renew_at and self._may_load():
            asyncio.get_running_loop().run_in_executor(None, self._renew, credentials)
        return credentials

    async def after(self, refused: Credentials) -> Credentials:
        """Return the credentials to try after `refused` ones; the same ones if there are no others yet."""
        if self._credentials is refused and not self._may_load():
            return refused
        return await asyncio.to_thread(self._renew, refused)

    def _may_load(self) -> bool:
        return time.monotonic() - self._loaded_at >= _PAUSE_SECONDS

    def _renew(self, former: Credentials) -> Credentials:
        """Load others instead of the former ones, unless another thread has done so."""
        with self._lock:
            if self._credentials is not former or not self._may_load():
                return self._credentials
            try:
                loaded = self._load()
            except NoClusterError as error:
                _LOG.warning("no other login: %s", error)
            else:
                if not loaded.same_as(former):
                    _LOG.info("logged in again")
                # What is the same has another time at which to look again.
                self._credentials = loaded
            self._loaded_at = time.monotonic()
            return self._credentials


async def load_login() -> Login:
    """Return the first login that is found: `KUBECONFIG`, the pod's service account, ~/.kube/config.

    Raises:
        NoClusterError: if none of the three is there, or what is there can't be used.
    """
    inside = "KUBECONFIG" not in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ
    return await asyncio.to_thread(Login, _of_pod if inside else _of_kubeconfig)


def _of_pod() -> Credentials:
    configuration = Configuration()
    try:
        kubernetes_config.load_incluster_config(
            client_configuration=configuration, try_refresh_token=False
        )
    except (kubernetes_config.ConfigException, OSError) as error:
        raise NoClusterError(
            f"no cluster to work for: the pod's service account: {error}"
        ) from error
    return Credentials(
        configuration=configuration,
        authorization=_authorization(configuration),
        renew_at=time.monotonic() + _SERVICE_ACCOUNT_SECONDS,
    )


def _of_kubeconfig() -> Credentials:
    # By name: the library reads the variable when it is imported, and never again.
    paths = os.environ.get("KUBECONFIG") or KUBE_CONFIG_DEFAULT_LOCATION
    try:
        configuration, expiry = asyncio.run(_loaded(paths))
        authorization, certificate = _authorization(configuration), _certificate(configuration)
        if authorization is None and configuration.cert_file is None and _has_plugin(paths):
            # The library has logged why.
            raise NoClusterError(f"no cluster to work for: {paths}: the exec plugin gave no login")
    except (kubernetes_config.ConfigException, OSError, TimeoutError, yaml.YAMLError) as error:
        raise NoClusterError(f"no cluster to work for: {paths}: {error}") from error
    loaded = Credentials(
        configuration=configuration, authorization=authorization, certificate=certificate
    )
    if expiry is None:
        return loaded
    left = (expiry - datetime.now(UTC)).total_seconds()
    now = time.monotonic()
    return replace(
        loaded, renew_at=now + left - min(_AHEAD_SECONDS, left / 4), expires_at=now + left
    )


async def _loaded(paths: str) -> tuple[Configuration, datetime | None]:
    configuration = Configuration()
    async with asyncio.timeout(_LOAD_SECONDS):
        loader = await kubernetes_config.load_kube_config(
            paths, client_configuration=configuration, persist_config=False
        )
    return configuration, getattr(loader, "exec_plugin_expiry", None)


def _authorization(configuration: Configuration) -> str | None:
    token = configuration.api_key.get("BearerToken")
    return None if token is None else token.strip()


def _has_plugin(paths: str) -> bool:
    """Whether the user of the kubeconfig logs in with an exec plugin."""
    merged = KubeConfigMerger(paths).config
    context = merged["contexts"].get_with_name(merged["current-context"])["context"]
    user = merged["users"].get_with_name(context.safe_get("user") or "", safe=True)
    return user is not None and "exec" in user["user"]


def _certificate(configuration: Configuration) -> bytes:
    paths = (configuration.cert_file, configuration.key_file)
    return b"".join(Path(path).read_bytes() for path in paths if path)
