"""The state directory: locked while an emulator has it, and all that it remembers.

::

    state.db            everything that the services know
    content/            job artifacts and objects
    runs/               the directories of runs
    users/              config files and keys of users
    ca.pem, ca.key      the emulator's certificate authority
    lock                held by the emulator that has the directory
"""

import fcntl
import json
import os
import re
import secrets
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from oci_emulator import ocid
from oci_emulator.clock import Clock, Reading
from oci_emulator.content import ContentStore
from oci_emulator.database import Database
from oci_emulator.datascience.plans import PlanError, Plans
from oci_emulator.foundation import Foundation, Tenancy
from oci_emulator.identity.compartments import Compartments
from oci_emulator.jsontypes import compact
from oci_emulator.lags import Profile
from oci_emulator.principals import keys
from oci_emulator.resources import Resources
from oci_emulator.rules import RuleBook, Rules
from oci_emulator.schema import catalogue
from oci_emulator.settings import DEFAULT_REGION, Settings, StartError
from oci_emulator.timers import Timers

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")


class StateDirectory:
    """A state directory that this process has.

    Raises:
        StartError: another emulator has it, or a setting can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = settings.state
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _take(self.path / "lock")
        self.database = Database(self.path / "state.db")
        try:
            self.foundation = _foundation(settings, self.database)
            self.plans = _plans(settings, self.database)
        except BaseException:
            self.close()
            raise

    def token_key(self) -> RSAPrivateKey:
        """The key that signs security tokens; made at the first start."""
        remembered = self.database.fact("token key")
        if remembered is not None:
            return keys.load_private(remembered)
        key = keys.generate()
        self.database.set_fact("token key", keys.private_pem(key))
        return key

    def close(self) -> None:
        """Give the directory back."""
        self.database.close()
        self._lock.close()


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
    if _NAMESPACE.fullmatch(namespace) is None:
        raise StartError(
            f"{namespace!r} can't be a namespace: lower-case letters, digits, hyphens and underscores"
        )
    facts = {
        "id": ocid.new("tenancy", ""),
        "name": "emulator",
        "region": region,
        "region_key": regions[region],
        "namespace": namespace,
    }
    database.set_fact("tenancy", compact(facts))
    return Tenancy(**facts)


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
