"""Clients of OCI that act as the job run."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ocijobs_said import MissingError, why


def client(module: str, name: str, needed_for: str) -> Any:
    """Return a client of OCI that acts as the job run.

    Args:
        module: of the SDK, such as `oci.object_storage`.
        name: of the client's class.
        needed_for: what can't be done without it, for the message.

    Raises:
        MissingError: if there is no SDK, or no right to call OCI.
    """
    try:
        import oci

        make = getattr(import_module(module), name)
        if "OCI_RESOURCE_PRINCIPAL_VERSION" in os.environ:
            return make({}, signer=oci.auth.signers.get_resource_principals_signer())
        return make(oci.config.from_file())
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{needed_for} needs the Python package oci in the job's conda environment; "
            f"choose one that has it ({error})"
        ) from error
    except Exception as error:  # Whatever it is, it is said before the code has cost anything.
        raise MissingError(f"{needed_for}: no access to OCI: {why(error)}") from error
