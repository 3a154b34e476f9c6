"""The state directory: locked while an emulator has it, and all that it remembers.

::

    state.db            everything that the services know
    content/            job artifacts and objects
    runs/               the directories of runs
    users/              config files and keys of users
    instance/           certificate and key of the instance
    token.key           signs security tokens
    ca.pem, ca.key      the emulator's certificate authority
    announcement.json   what clients need, while an emulator has the directory
    lock                held by the emulator that has the directory
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import stat
from dataclasses import asdict
from pathlib import Path
from typing import IO

from oci_emulator.clients.environment import ANNOUNCEMENT
from oci_emulator.conduct.lags import Profile
from oci_emulator.conduct.rules import RuleBook, Rules
from oci_emulator.formats import ocid
from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.principals.compartments import Compartments
from oci_emulator.schema import catalogue
from oci_emulator.services.datascience.plans import PlanError, Plans
from oci_emulator.services.foundation import Foundation, Tenancy
from oci_emulator.serving.settings import DEFAULT_REGION, Settings, StartError
from oci_emulator.state.content import ContentStore
from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resources
from oci_emulator.time.clock import Clock, Reading
from oci_emulator.time.timers import Timers

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
_DATABASE = "state.db"
_FOLDERS = ("content", "runs", "users", "instance")
_FILES = (f"{_DATABASE}*", "token.key*")


class StateDirectory:
    """A state directory that this process has.

    Args:
        path: made if it doesn't exist.

    Raises:
        StartError: another emulator has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock = _take(path / "lock")

    def announce(self, announcement: JsonObject) -> None:
        """Say what clients need, for as long as the emulator runs."""
        unfinished = self.path / f"{ANNOUNCEMENT}.new"
        unfinished.write_text(compact(announcement), encoding="utf-8")
        unfinished.rename(self.path / ANNOUNCEMENT)

    def clear(self) -> None:
        """Forget everything but the certificate authority; no ``State`` may be open."""
        for name in _FOLDERS:
            if (self.path / name).exists():
                _remove(self.path / name)
        for pattern in _FILES:
            for path in self.path.glob(pattern):
                path.unlink()

    def close(self) -> None:
        """Give the directory back."""
        (self.path / ANNOUNCEMENT).unlink(missing_ok=True)
        self._lock.close()


class State:
    """What a state directory remembers, and the foundation of the services on it.

    Args:
        tenancy: the one that a new state begins with; a new one by default.

    Raises:
        StartError: a setting can't be used.
    """

    def __init__(self, settings: Settings, tenancy: Tenancy | None = None) -> None:
        self.database = Database(settings.state / _DATABASE)
        try:
            if tenancy is not None:
                self.database.set_fact("tenancy", compact(asdict(tenancy)))
            self.foundation = _foundation(settings, self.database)
            self.plans = _plans(settings, self.database)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Commit, and remember no more."""
        self.database.close()


def _take(path: Path) -> IO[str]:
    """Lock the directory; the lock ends with this process, however it ends."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise StartError(
            f"{path.parent} belongs to an emulator that runs already, with the process id {holder}"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _remove(directory: Path) -> None:
    """Remove a directory and all in it, also what a run has protected from itself."""
    try:
        shutil.rmtree(directory)
    except PermissionError:
        for parent, folders, _ in os.walk(directory):
            for path in (Path(parent, folder) for folder in folders):
                if not path.is_symlink():
                    path.chmod(stat.S_IRWXU)
        shutil.rmtree(directory)


def _foundation(settings: Settings, database: Database) -> Foundation:
    resources = Resources(database)
    clock = _clock(database)
    tenancy = _tenancy(settings, database)
    return Foundation(
        tenancy=tenancy,
        database=database,
        resources=resources,
        clock=clock,
        timers=Timers(clock, database, resources),
        book=_rules(settings, database),
        profile=_profile(settings, database),
        compartments=Compartments(resources, tenancy.id),
        content=ContentStore(settings.state / "content", database),
    )


def _clock(database: Database) -> Clock:
    remembered = database.fact("clock")
    if remembered is None:
        return Clock()
    real, shown, rate = json.loads(remembered)
    return Clock(Reading(real=real, shown=shown, rate=rate))


def _tenancy(settings: Settings, database: Database) -> Tenancy:
    """The tenancy, which is made once for a state directory."""
    remembered = database.fact("tenancy")
    if remembered is not None:
        tenancy = Tenancy(**json.loads(remembered))
        if settings.region not in {None, tenancy.region}:
            raise StartError(
                f"{settings.state} has a tenancy in {tenancy.region}, not in {settings.region}"
            )
        if settings.namespace not in {None, tenancy.namespace}:
            raise StartError(
                f"{settings.state} has the Object Storage namespace {tenancy.namespace}, not"
                f" {settings.namespace}"
            )
        return tenancy
    region = settings.region or DEFAULT_REGION
    regions = catalogue.regions()
    if region not in regions:
        raise StartError(f"there is no region {region!r}; there are {', '.join(sorted(regions))}")
    namespace = settings.namespace or f"emu{secrets.token_hex(5)}"
    try:
        check_namespace(namespace)
    except ValueError as error:
        raise StartError(str(error)) from None
    facts = {
        "id": ocid.new("tenancy", ""),
        "name": "emulator",
        "region": region,
        "region_key": regions[region],
        "namespace": namespace,
    }
    database.set_fact("tenancy", compact(facts))
    return Tenancy(**facts)


def check_namespace(name: str) -> None:
    """Check that Object Storage can have a namespace of that name.

    Raises:
        ValueError: it can't.
    """
    if _NAMESPACE.fullmatch(name) is None:
        raise ValueError(
            f"{name!r} can't be a namespace: lower-case letters, digits, hyphens and underscores"
        )


def _rules(settings: Settings, database: Database) -> RuleBook:
    remembered = json.loads(database.fact("rules") or "{}")
    try:
        rules = Rules().with_values(remembered).with_values(settings.rules)
    except ValueError as error:
        raise StartError(str(error)) from None
    database.set_fact("rules", compact(rules.as_json()))
    return RuleBook(rules)


def _profile(settings: Settings, database: Database) -> Profile:
    name = settings.profile or database.fact("profile") or "fast"
    database.set_fact("profile", name)
    return Profile(name)


def _plans(settings: Settings, database: Database) -> Plans:
    plans = Plans("process")
    try:
        plans.set(json.loads(database.fact("plans") or "{}"))
        plans.set({} if settings.mode is None else {"mode": settings.mode})
    except PlanError as error:
        raise StartError(str(error)) from None
    database.set_fact("plans", compact(plans.as_json()))
    return plans
