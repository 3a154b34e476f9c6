"""What OCI has under a name: the one thing that has it, or in words why there is none."""

import asyncio
from typing import Any

import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Answer, Caller, ScriptedOci, document, error

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.requests import NameKind, WantedName
from ocijobs.cloud.directory import Directory
from ocijobs.testing import COMPARTMENT, ManualClock

GROUP = "ocid1.loggroup.oc1.iad.a"
FIELD = "spec.x"


def wanted(kind: NameKind, name: str) -> WantedName:
    return WantedName(kind=kind, name=name, within=GROUP, field=FIELD)


def find(caller: Caller, kind: NameKind, name: str) -> str | Refusal:
    directory = Directory(caller.calls, ManualClock())
    return asyncio.run(directory.find(PRINCIPAL, COMPARTMENT, wanted(kind, name)))


def named(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"id-of-{name}", "displayName": name, **more} for name in names]


def resources(*items: dict[str, Any]) -> Answer:
    """Return what the search for a text finds."""
    common = {"compartmentId": COMPARTMENT, "lifecycleState": "ACTIVE"}
    return document({"items": [common | item for item in items]})


@pytest.mark.parametrize("kind", [NameKind.LOG_GROUP, NameKind.LOG])
def test_of_what_a_list_has_only_the_very_name_counts(
    oci_server: ScriptedOci, caller: Caller, kind: NameKind
) -> None:
    oci_server.will(document(named("training", "training-2")))
    assert find(caller, kind, "training") == "id-of-training"


def test_a_pool_is_one_that_is_not_gone_on_whichever_page_it_is(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    gone = named("nightly", lifecycleState="DELETED")
    there = [{**one, "id": "there"} for one in named("nightly", lifecycleState="ACTIVE")]
    oci_server.will(document({"items": gone}, opc_next_page="2"), document({"items": there}))
    assert find(caller, NameKind.POOL, "nightly") == "there"
    assert "page=2" in oci_server.received[1].path


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        ([], RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, "there is no log group training, or the"),
        (["training"] * 2, RefusalKind.INVALID, "there are 2 with the name log group training: "),
    ],
)
def test_none_and_several_are_refused_in_words(
    oci_server: ScriptedOci, caller: Caller, found: list[str], kind: RefusalKind, words: str
) -> None:
    oci_server.will(document(named(*found)))
    refusal = find(caller, NameKind.LOG_GROUP, "training")
    assert isinstance(refusal, Refusal)
    assert refusal.kind is kind
    assert refusal.message.startswith(words)


@pytest.mark.parametrize("kind", NameKind)
def test_what_oci_refuses_is_refused(
    oci_server: ScriptedOci, caller: Caller, kind: NameKind
) -> None:
    oci_server.will(error(404, "NotAuthorizedOrNotFound", "no policy"))
    refusal = find(caller, kind, "training")
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND


def test_a_mount_target_is_found_by_the_private_ip_that_has_the_address(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    old = {"identifier": "ip-1", "resourceType": "PrivateIp", "timeCreated": "2026-01-01T00:00:00Z"}
    new = {"identifier": "ip-2", "resourceType": "PrivateIp", "timeCreated": "2026-01-02T00:00:00Z"}
    target = {"identifier": "target", "resourceType": "MountTarget"}
    gone = {**target, "identifier": "gone", "lifecycleState": "DELETED"}
    oci_server.will(resources(old, new), resources(target, gone))
    assert find(caller, NameKind.MOUNT_TARGET, "10.0.0.5") == "target"
    assert [one.document["text"] for one in oci_server.received] == ["10.0.0.5", "ip-2"]


def test_an_address_that_nothing_has_is_no_mount_target(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    oci_server.will(resources())
    refusal = find(caller, NameKind.MOUNT_TARGET, "10.0.0.5")
    assert isinstance(refusal, Refusal)
    oci_server.will(
        resources({"identifier": "ip", "timeCreated": "2026-01-01T00:00:00Z"}),
        error(404, "NotAuthorizedOrNotFound", "no policy"),
    )
    second = find(caller, NameKind.MOUNT_TARGET, "10.0.0.5")
    assert isinstance(second, Refusal)
    assert second.message.startswith("NotAuthorizedOrNotFound")


@pytest.mark.parametrize("exact", [True, False])
def test_of_exports_the_one_with_just_this_path_goes_first(
    oci_server: ScriptedOci, caller: Caller, *, exact: bool
) -> None:
    export: dict[str, Any] = {"identifier": "export", "resourceType": "Export"}
    details: dict[str, Any] = {
        "additionalDetails": {"path": "/code" if exact else "/other", "size": 1}
    }
    longer: dict[str, Any] = {
        "identifier": "longer",
        "resourceType": "Export",
        "displayName": "/code/old",
    }
    found = [{**export, **details}, *([longer] if exact else [])]
    oci_server.will(resources(*found, {"identifier": "x", "resourceType": "Instance"}))
    assert find(caller, NameKind.EXPORT, "/code") == "export"


def test_shapes_are_listed_once_for_all_jobs_of_a_compartment(
    oci_server: ScriptedOci, caller: Caller
) -> None:
    clock = ManualClock()
    directory = Directory(caller.calls, clock)

    def shapes() -> tuple[str, ...] | Refusal:
        return asyncio.run(directory.shapes(PRINCIPAL, COMPARTMENT))

    oci_server.will(error(404, "NotAuthorizedOrNotFound"))
    assert isinstance(shapes(), Refusal)
    oci_server.will(
        document([{"name": "VM.Standard3.Flex"}], opc_next_page="2"),
        document([{"name": "VM.Standard2.1"}]),
    )
    assert shapes() == ("VM.Standard2.1", "VM.Standard3.Flex")
    asked = len(oci_server.received)
    assert shapes() == ("VM.Standard2.1", "VM.Standard3.Flex")
    assert len(oci_server.received) == asked
    clock.advance(601)
    oci_server.will(document([]))
    assert shapes() == ()
