"""Further users, with keys and config files of their own."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from oci_emulator.certificates import keys
from oci_emulator.control.call import ControlCall, Route
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.principals.directory import Directory
from oci_emulator.services.foundation import Foundation, Tenancy

DEFAULT_GROUPS = ("data-scientists",)
_KEY = "key.pem"


class UserControl:
    """Makes users.

    Args:
        state: the state directory, in which their config files are written.
    """

    def __init__(self, foundation: Foundation, directory: Directory, state: Path) -> None:
        self._foundation = foundation
        self._directory = directory
        self._state = state

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (("POST", "users", self._add),)

    def _add(self, call: ControlCall) -> JsonObject:
        """A new user: ``name`` and ``groups``; answers with the path of a config file.

        Raises:
            ValueError: the name or the groups can't be used.
        """
        name = call.body.get("name", "user")
        groups = call.body.get("groups", list(DEFAULT_GROUPS))
        if not isinstance(name, str) or not isinstance(groups, list):
            raise ValueError("name: must be a string, groups: a list of names")  # noqa: TRY004
        return make_user(self._foundation, self._directory, self._state, name, groups)


def make_user(
    foundation: Foundation,
    directory: Directory,
    state: Path,
    name: str,
    groups: list[str],
    *,
    key: RSAPrivateKey | None = None,
    identifier: str = "",
) -> JsonObject:
    """Make a user with an API key, and write a config file for it.

    ``key``, ``identifier``: those of a user that was there before; new ones by default.
    """
    key = key or keys.generate()
    now = foundation.clock.now()
    user = directory.add_user(name, groups, key.public_key(), now, identifier)
    own = directory_of(state, user.id)
    own.mkdir(parents=True, mode=0o700)
    config = own / "config"
    _write_config(config, own / _KEY, foundation.tenancy, user.id, key)
    return {
        "id": user.id,
        "name": name,
        "groups": groups,
        "fingerprint": keys.fingerprint(key.public_key()),
        "keyFile": str(own / _KEY),
        "config": str(config),
    }


def key_of(state: Path, user: str) -> RSAPrivateKey:
    """The API key of a user that was made here.

    Raises:
        OSError: the file of the key can't be read.
        ValueError: it holds something else.
    """
    return keys.load_private((directory_of(state, user) / _KEY).read_text(encoding="ascii"))


def directory_of(state: Path, user: str) -> Path:
    """Where the config file and the key of a user are."""
    return state / "users" / user.rpartition(".")[2]


def _write_config(
    path: Path, key_path: Path, tenancy: Tenancy, user: str, key: RSAPrivateKey
) -> None:
    keys.write_private(key_path, keys.private_pem(key))
    lines = [
        "[DEFAULT]",
        f"user={user}",
        f"fingerprint={keys.fingerprint(key.public_key())}",
        f"tenancy={tenancy.id}",
        f"region={tenancy.region}",
        f"key_file={key_path}",
    ]
    keys.write_private(path, "\n".join(lines) + "\n")
