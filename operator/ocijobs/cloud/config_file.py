"""A person's API key, from a configuration file of OCI, for the command line."""

from __future__ import annotations

from pathlib import Path

from ocijobs.cloud.credentials import ApiKey, CredentialsError, parse_api_key
from ocijobs.cloud.sdk import oci


class ConfigFileError(Exception):
    """The file has no valid API key; the message says why."""


def key_of_config(config: Path | None, profile: str) -> ApiKey:
    """Return the API key of a profile.

    Args:
        config: configuration file; by default that of the OCI command line.
        profile: of the file.

    Raises:
        ConfigFileError: if there is none, or it is not a valid API key.
    """
    path = str(config) if config is not None else oci.config.DEFAULT_LOCATION
    try:
        given = oci.config.from_file(path, profile)
        data = {
            "user": given["user"],
            "tenancy": given["tenancy"],
            "fingerprint": given["fingerprint"],
            "region": given["region"],
            "passphrase": given.get("pass_phrase") or "",
            "privatekey": Path(given["key_file"]).expanduser().read_text(),
        }
        return parse_api_key(
            {name: value.encode() for name, value in data.items()},
            region=None,
            version=f"{path}/{profile}",
        )
    except CredentialsError as error:
        raise ConfigFileError(f"{path}, profile {profile}: {error}") from error
    except (
        oci.exceptions.ClientError,
        oci.exceptions.InvalidConfig,
        OSError,
        ValueError,
        KeyError,
    ) as error:
        raise ConfigFileError(f"{path}, profile {profile}: {error}") from error
