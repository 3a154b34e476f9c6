"""The language of policies, and the verdicts of the policies in force."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from oci_emulator.calls.errors import ServiceError
from oci_emulator.calls.principal import Principal
from oci_emulator.principals.compartments import Compartments
from oci_emulator.principals.policy import PolicyError, parse, parse_rule
from oci_emulator.principals.verdicts import DEFAULT_STATEMENTS, Verdicts
from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resources
from oci_emulator.time.clock import Clock

TENANCY = "ocid1.tenancy.oc1..t"
ALICE = Principal(
    kind="user", id="ocid1.user.oc1..alice", tenancy=TENANCY, groups=frozenset({"a-team"})
)
RUN = Principal(
    kind="resource",
    id="ocid1.datasciencejobrun.oc1.iad.r",
    tenancy=TENANCY,
    compartment="ocid1.compartment.oc1..child",
    resource_type="datasciencejobrun",
)
JOBS, RUNS = "data-science-jobs", "data-science-job-runs"


class Court:
    """Verdicts over a tenancy with the compartments parent and child."""

    def __init__(self, directory: Path) -> None:
        self.time = 0.0
        self.refusals: set[tuple[int, str]] = set()
        self.lag = 0.0
        self.database = database = Database(directory / "state.db")
        compartments = Compartments(Resources(database), TENANCY)
        for name, parent in (("parent", TENANCY), ("child", "ocid1.compartment.oc1..parent")):
            compartments.add(
                name=name,
                description=name,
                parent=parent,
                created=0,
                identifier=f"ocid1.compartment.oc1..{name}",
            )
        clock = Clock(source=lambda: self.time)
        self.verdicts = Verdicts(database, clock, compartments, lambda: self.lag)

    def set(self, *statements: str, groups: dict[str, str] | None = None) -> None:
        document: dict[str, object] = {"statements": statements}
        if groups is not None:
            document["dynamicGroups"] = groups
        self.verdicts.set_policies(document)

    def allows(
        self,
        principal: Principal,
        verb: str,
        family: str,
        compartment: str = TENANCY,
        **variables: str,
    ) -> bool:
        known = {name.replace("_", "."): value for name, value in variables.items()}
        try:
            self.verdicts.require(
                principal, verb=verb, family=family, compartment=compartment, variables=known
            )
        except ServiceError as error:
            self.refusals.add((error.status, error.code))
            return False
        return True


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    court = Court(tmp_path)
    yield court
    court.database.close()


def test_nothing_is_allowed_that_no_statement_allows(court: Court) -> None:
    court.set()
    assert not court.allows(ALICE, "inspect", JOBS)
    assert court.refusals == {(404, "NotAuthorizedOrNotFound")}


@pytest.mark.parametrize(
    ("granted", "needed", "allowed"),
    [
        ("manage", "inspect", True),
        ("use", "read", True),
        ("read", "read", True),
        ("read", "use", False),
        ("inspect", "read", False),
    ],
)
def test_a_verb_allows_itself_and_those_below(
    court: Court, granted: str, needed: str, *, allowed: bool
) -> None:
    court.set(f"Allow group a-team to {granted} {JOBS} in tenancy")
    assert court.allows(ALICE, needed, JOBS) is allowed


def test_a_family_covers_its_members_and_no_others(court: Court) -> None:
    court.set("Allow any-user to manage data-science-family in tenancy")
    assert court.allows(ALICE, "manage", RUNS)
    assert not court.allows(ALICE, "inspect", "objects")


def test_a_group_is_meant_by_its_name(court: Court) -> None:
    court.set("Allow group others, b-team to manage all-resources in tenancy")
    assert not court.allows(ALICE, "inspect", JOBS)
    court.set("Allow group others, a-team to manage all-resources in tenancy")
    assert court.allows(ALICE, "inspect", JOBS)


@pytest.mark.parametrize(
    "place", ["compartment parent", "compartment id ocid1.compartment.oc1..parent"]
)
def test_a_compartment_covers_what_is_below_it(court: Court, place: str) -> None:
    court.set(f"Allow any-user to read {JOBS} in {place}")
    assert court.allows(ALICE, "read", JOBS, "ocid1.compartment.oc1..parent")
    assert court.allows(ALICE, "read", JOBS, "ocid1.compartment.oc1..child")
    assert not court.allows(ALICE, "read", JOBS, TENANCY)


def test_unknown_compartments_are_not_found_even_for_administrators(court: Court) -> None:
    court.set("Allow any-user to manage all-resources in tenancy")
    assert not court.allows(ALICE, "inspect", JOBS, "ocid1.compartment.oc1..nowhere")


def test_runs_are_meant_by_the_rule_of_their_dynamic_group(court: Court) -> None:
    rule = "all {resource.type = 'datasciencejobrun', resource.compartment.id = '%s'}"
    court.set(
        "Allow dynamic-group runs to manage objects in tenancy",
        groups={"runs": rule % RUN.compartment},
    )
    assert court.allows(RUN, "manage", "objects")
    assert not court.allows(ALICE, "inspect", "objects")
    court.set(
        "Allow dynamic-group runs to manage objects in tenancy",
        groups={"runs": rule % "ocid1.compartment.oc1..other"},
    )
    assert not court.allows(RUN, "manage", "objects")


def test_conditions_ask_for_the_target_and_the_principal(court: Court) -> None:
    court.set(
        "Allow any-user to manage objects in tenancy where"
        " all {target.bucket.name = /data-*/, request.user.id != 'ocid1.user.oc1..bob'}"
    )
    assert court.allows(ALICE, "manage", "objects", target_bucket_name="data-1")
    assert not court.allows(ALICE, "manage", "objects", target_bucket_name="other")
    assert not court.allows(ALICE, "manage", "objects")


def test_any_of_several_conditions_is_enough(court: Court) -> None:
    court.set(
        "Allow any-user to read objects in tenancy where"
        " any {target.bucket.name = 'a', target.bucket.name = 'b'}"
    )
    assert court.allows(ALICE, "read", "objects", target_bucket_name="b")
    assert not court.allows(ALICE, "read", "objects", target_bucket_name="c")


def test_a_denial_beats_every_grant_and_denies_the_verbs_above(court: Court) -> None:
    court.set(
        "Deny group a-team to use data-science-job-runs in tenancy",
        "Allow group a-team to manage all-resources in tenancy",
    )
    assert court.allows(ALICE, "read", RUNS)
    assert not court.allows(ALICE, "use", RUNS)
    assert not court.allows(ALICE, "manage", RUNS)
    assert court.allows(ALICE, "manage", JOBS)


def test_changes_come_into_force_after_the_lag(court: Court) -> None:
    court.set("Allow any-user to manage all-resources in tenancy")
    assert court.allows(ALICE, "manage", JOBS)
    court.lag = 10
    court.set()
    assert court.verdicts.policies.statements == ()
    court.time += 9
    assert court.allows(ALICE, "manage", JOBS)
    court.time += 1
    assert not court.allows(ALICE, "manage", JOBS)


def test_the_default_is_what_the_documents_tell(court: Court) -> None:
    scientist = Principal(
        kind="user", id="u", tenancy=TENANCY, groups=frozenset({"data-scientists"})
    )
    assert court.allows(scientist, "manage", JOBS)
    assert court.allows(scientist, "manage", RUNS)
    assert not court.allows(scientist, "manage", "buckets")
    assert court.allows(RUN, "use", RUNS)
    assert court.allows(RUN, "manage", "objects")
    assert not court.allows(RUN, "manage", JOBS)
    assert not court.allows(RUN, "manage", "buckets")


@pytest.mark.parametrize("statement", DEFAULT_STATEMENTS)
def test_the_default_statements_can_be_read(statement: str) -> None:
    assert parse(statement).text == statement


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("", "it ends where allow or deny should follow"),
        ("Permit any-user to read objects in tenancy", "'Permit' stands where allow or deny"),
        ("Allow group to read objects in tenancy", "'read' stands where to should"),
        ("Allow any-user to see objects in tenancy", "'see' stands where inspect or read"),
        ("Allow any-user to read objets in tenancy", "there is no resource type 'objets'"),
        ("Allow any-user to read objects", "it ends where in should follow"),
        ("Allow any-user to read objects in tenancy where a ~ 'b'", "= or != must follow 'a'"),
        ("Allow any-user to read objects in tenancy where a = b", "a value is in"),
        ("Allow any-user to read objects in tenancy where all {a = 'b'", "a comma or }"),
        ("Allow any-user to read objects in tenancy, now", "',' stands where where should"),
        ("Allow any-user to read objects in tenancy where a = 'b", "can't be read"),
    ],
)
def test_what_is_no_statement_is_explained(statement: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(statement)
    assert message in str(caught.value)


def test_what_is_left_over_is_no_rule() -> None:
    with pytest.raises(PolicyError, match="is left over"):
        parse_rule("resource.type = 'a' resource.id = 'b'")
