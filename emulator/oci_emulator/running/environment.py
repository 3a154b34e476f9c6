"""The environment of a run: what the service sets and what the user set, and nothing else.

Nothing of the environment that the emulator itself was started in gets through: a run that needs
something from there would fail in the cloud.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What stands in for Oracle's network.

    Attributes:
        proxy: the URL of the proxy behind which the services' host names are.
        authority: the certificate of the authority that vouches for them.
    """

    proxy: str
    authority: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """The directories of a run.

    Attributes:
        home: stands for /home/datascience.
        principal: the token and the key of the run's resource principal.
    """

    home: Path
    temporary: Path
    principal: Path

    @property
    def unpacked(self) -> Path:
        """Where archives are unpacked."""
        return self.home / "decompressed_artifact"

    @property
    def token(self) -> Path:
        """The security token."""
        return self.principal / "rpst"

    @property
    def conda(self) -> Path:
        """Where a published environment is unpacked."""
        return self.temporary.with_name("conda")

    @property
    def nodes(self) -> Path:
        """The list of all nodes of a multi-node run."""
        return self.temporary.with_name("nodes.json")

    @property
    def key(self) -> Path:
        """The session key."""
        return self.principal / "private.pem"

    def make(self) -> None:
        """Make those that don't exist."""
        for directory in (self.home, self.temporary, self.unpacked):
            directory.mkdir(parents=True, exist_ok=True)
        self.principal.mkdir(mode=0o700, exist_ok=True)


def of_run(
    *,
    directories: Directories,
    python: Path,
    network: Network,
    region: str,
    service: Mapping[str, str],
    user: Mapping[str, str],
) -> dict[str, str]:
    """The variables of a run.

    ``python``: the interpreter of its environment.
    ``service``: what the service sets, such as JOB_RUN_OCID; it can't be overridden.
    ``user``: what the job and the run set.
    """
    authority = str(network.authority)
    return {
        "HOME": str(directories.home),
        "TMPDIR": str(directories.temporary),
        "PATH": f"{python.parent}:{SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "USER": "datascience",
        "SHELL": "/bin/bash",
        "HTTPS_PROXY": network.proxy,
        "https_proxy": network.proxy,
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "CURL_CA_BUNDLE": authority,
        **user,
        **service,
        "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
        "OCI_RESOURCE_PRINCIPAL_RPST": str(directories.token),
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": str(directories.key),
        "OCI_RESOURCE_PRINCIPAL_REGION": region,
    }
