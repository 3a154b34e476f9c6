"""The list of what objects that were let go have left in OCI: shown, and ended with somebody's credentials."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.cli.manifests import InputError
from ocijobs.clock import SystemClock
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.config_file import ConfigFileError, key_of_config
from ocijobs.cloud.credentials import (
    ApiKey,
    CredentialsError,
    CredentialStore,
    IdentityKey,
    parse_api_key,
)
from ocijobs.cloud.job_services import job_services
from ocijobs.cloud.leftovers import Leftover
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import NotLeadingError
from ocijobs.kube.login import NoClusterError, load_login
from ocijobs.kube.own_namespace import ListedOrphan, OwnNamespace
from ocijobs.settings import Settings

_HEADINGS = ("SINCE", "NAMESPACE", "KIND", "NAME", "LEFT", "CAUSE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """With whose API key what is left is ended: of a configuration file of OCI, else the operator's copies.

    `endpoint` is that of all services, instead of the region's own.
    """

    config: Path | None = None
    profile: str | None = None
    endpoint: str | None = None

    @property
    def own(self) -> bool:
        """Whether a person's own key is given."""
        return self.config is not None or self.profile is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is listed, and what is to be remarked of it; `left` says whether something could not be ended."""

    orphans: tuple[ListedOrphan, ...]
    remarks: tuple[str, ...] = ()
    left: bool = False


def listed(namespace: str, *, end: bool, access: Access) -> Listing:
    """Return the list that the operator keeps in its namespace, after ending what it names if that is asked for.

    Raises:
        InputError: if there is no cluster, it does not give the list, or there are no credentials.
    """
    try:
        return asyncio.run(_listed(namespace, end=end, access=access))
    except (NoClusterError, ApiError) as error:
        raise InputError(str(error)) from error


async def _listed(namespace: str, *, end: bool, access: Access) -> Listing:
    async with KubeClient(await load_login(), connections=1) as client:
        own = OwnNamespace(client, namespace)
        orphans = await own.orphans()
        if not end:
            return Listing(orphans=tuple(orphans))
        keys = await _keys(own, orphans, access)
        with ThreadPoolExecutor(1, thread_name_prefix="oci") as threads:
            return await _ended(own, orphans, keys, _calls_settings(access), threads)


async def _keys(
    own: OwnNamespace, orphans: Iterable[ListedOrphan], access: Access
) -> dict[ObjectKey, ApiKey]:
    """Return the key of each identity, as far as there is one."""
    wanted = {_identity(each) for each in orphans}
    if access.own:
        try:
            given = key_of_config(access.config, access.profile or "DEFAULT")
        except ConfigFileError as error:
            raise InputError(str(error)) from error
        return dict.fromkeys(wanted, given)
    keys: dict[ObjectKey, ApiKey] = {}
    for copy in await own.copies():
        if copy.identity in wanted:
            try:
                keys[copy.identity] = parse_api_key(copy.data, region=None, version=copy.version)
            except CredentialsError as error:
                raise InputError(f"the copy of {copy.identity}: {error}") from error
    return keys


def _calls_settings(access: Access) -> Settings:
    given = {"oci_endpoint": access.endpoint} if access.endpoint is not None else {}
    return Settings.model_validate(given)


async def _ended(
    own: OwnNamespace,
    orphans: list[ListedOrphan],
    keys: dict[ObjectKey, ApiKey],
    settings: Settings,
    threads: ThreadPoolExecutor,
) -> Listing:
    """End what can be ended, take it from the list, and return the rest of the list."""
    credentials = CredentialStore()
    for identity, key in keys.items():
        credentials.keep_copy(IdentityKey(*identity), key)
    calls = Calls(
        settings,
        credentials,
        threads=threads,
        fence=lambda: None,
        fenced=NotLeadingError,
        observe=lambda *_: None,
        clock=SystemClock(),
        count_error=lambda *_: None,
    )
    services = job_services(calls, CodeStorage(calls))
    kept: list[ListedOrphan] = []
    remarks: list[str] = []
    for each in orphans:
        orphan, identity = each.orphan, _identity(each)
        who = f"{orphan.kind} {orphan.namespace}/{orphan.name}"
        api_key = keys.get(identity)
        if api_key is None:
            remarks.append(
                f"{who}: the operator has no copy of the credentials of {identity}: give --config or --profile"
            )
            kept.append(each)
            continue
        principal = Principal(
            identity=IdentityKey(*identity), region=orphan.region or api_key.region or ""
        )
        outcome = await Leftover(services, principal, orphan).end()
        remarks.extend(f"{who}: {problem}" for problem in outcome.unended)
        if outcome.unended:
            kept.append(each)
            continue
        await own.remove_orphan(each.name)
        remarks.append(f"{who}: ended: {orphan.left}")
        remarks.extend(f"{who}: stays in OCI: {what}" for what in outcome.stays)
    return Listing(orphans=tuple(kept), remarks=tuple(remarks), left=bool(kept))


def _identity(listed: ListedOrphan) -> ObjectKey:
    return ObjectKey(kinds.IDENTITY, listed.orphan.namespace, listed.orphan.identity)


def table(orphans: Iterable[ListedOrphan]) -> str:
    """Return the list as people read it, a line for each entry."""
    rows = [_HEADINGS]
    for each in orphans:
        orphan = each.orphan
        since = str(orphan.document()["since"])
        rows.append(
            (since, orphan.namespace, orphan.kind, orphan.name, str(orphan.left), orphan.cause)
        )
    if len(rows) == 1:
        return "nothing is known to be left in OCI\n"
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = (
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


def as_json(orphans: Iterable[ListedOrphan]) -> str:
    """Return the list as programs read it."""
    return json.dumps([each.orphan.document() for each in orphans], indent=2) + "\n"
