"""The ways in which people log in to a cluster, as kubeconfigs: each made of one that has a token."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml


def token_of(kubeconfig: Path) -> str:
    """Return the token of a kubeconfig."""
    [user] = yaml.safe_load(kubeconfig.read_text())["users"]
    return str(user["user"]["token"])


def with_user(kubeconfig: Path, user: dict[str, Any]) -> None:
    """Have a kubeconfig say in another way who its user is."""
    document = yaml.safe_load(kubeconfig.read_text())
    for entry in document["users"]:
        entry["user"] = user
    kubeconfig.write_text(yaml.safe_dump(document))


def with_cluster(kubeconfig: Path, **changes: object) -> None:
    """Have a kubeconfig say something else of its cluster; None takes a field away."""
    document = yaml.safe_load(kubeconfig.read_text())
    for entry in document["clusters"]:
        cluster = {**entry["cluster"], **changes}
        entry["cluster"] = {name: value for name, value in cluster.items() if value is not None}
    kubeconfig.write_text(yaml.safe_dump(document))


class ExecPlugin:
    """A credential plugin, such as `oci ce cluster generate-token` is: it prints what is in a file, and notes that.

    Attributes:
        user: what a kubeconfig says of a user who is known by it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._answer, self._runs = folder / "answer.json", folder / "runs"
        script = folder / "plugin.py"
        script.write_text(
            "import sys\n"
            f"open({str(self._runs)!r}, 'a').write('run\\n')\n"
            f"sys.stdout.write(open({str(self._answer)!r}).read())\n"
        )
        self.user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": sys.executable,
                "args": ["-S", str(script)],
                "interactiveMode": "Never",
            }
        }

    def gives(self, token: str, *, seconds: float | None = None) -> None:
        """Have it print a token, which expires after so many seconds if given."""
        status: dict[str, str] = {"token": token}
        if seconds is not None:
            expiry = datetime.now(UTC) + timedelta(seconds=seconds)
            status["expirationTimestamp"] = expiry.isoformat().replace("+00:00", "Z")
        self._answer.write_text(
            json.dumps(
                {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "kind": "ExecCredential",
                    "status": status,
                }
            )
        )

    def fails(self) -> None:
        """Have it fail."""
        self._answer.unlink(missing_ok=True)

    @property
    def runs(self) -> int:
        """How often it was run."""
        return len(self._runs.read_text().splitlines()) if self._runs.exists() else 0


def kubeconfig_for(server: str, path: Path, user: Mapping[str, object]) -> Path:
    """Write a kubeconfig of a server for a user, and return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
    path.write_text(yaml.safe_dump(document))
    return path
