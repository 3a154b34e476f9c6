"""Environment variables whose values are secrets of OCI Vault: the run reads them, and nobody else sees them."""

from __future__ import annotations

import base64
from collections.abc import MutableMapping
from typing import Any

from ocijobs_oci import client
from ocijobs_said import MissingError, why

PREFIX = "OCIJOBS_VAULT_"


def read_into(environment: MutableMapping[str, str]) -> None:
    """Set each variable that `OCIJOBS_VAULT_<name>` names the secret of; an empty one takes the job's secret back.

    Raises:
        MissingError: if a secret can't be read.
    """
    named = {
        key[len(PREFIX) :]: value
        for key, value in environment.items()
        if value and key.startswith(PREFIX)
    }
    if not named:
        return
    vault = client("oci.secrets", "SecretsClient", "a variable of spec.env with vaultSecretRef")
    for name, secret_id in named.items():
        environment[name] = text(vault, secret_id, f"variable {name}")


def text(vault: Any, secret_id: str, needed_for: str) -> str:
    """Return the current value of a secret.

    Raises:
        MissingError: if it can't be read, or is no text.
    """
    try:
        bundle = vault.get_secret_bundle(secret_id).data.secret_bundle_content
        return base64.b64decode(bundle.content).decode()
    except Exception as error:
        raise MissingError(
            f"{needed_for}: secret {secret_id} can't be read: {why(error)}"
        ) from error
