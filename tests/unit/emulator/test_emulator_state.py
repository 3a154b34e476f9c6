"""State on disk, content, retry tokens, faults, the journal."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from oci_emulator.calls.call import Answer
from oci_emulator.calls.errors import ServiceError
from oci_emulator.calls.principal import Principal
from oci_emulator.certificates import keys
from oci_emulator.certificates.authority import Authority
from oci_emulator.certificates.keys import KeyFile
from oci_emulator.conduct.rules import RuleBook, Rules
from oci_emulator.principals.tokens import TokenService
from oci_emulator.schema import catalogue
from oci_emulator.server.faults import Faults
from oci_emulator.server.journal import Entry, Filter, Journal
from oci_emulator.server.retry_tokens import RetryTokens, Ticket
from oci_emulator.serving.settings import Settings, StartError
from oci_emulator.serving.statedir import State, StateDirectory
from oci_emulator.state.content import ContentStore, TooLarge
from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resource, Resources, Selection

CREATE = catalogue.service("datascience").operations["CreateJobRun"]
CREATE_JOB = catalogue.service("datascience").operations["CreateJob"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


# Database and resources


def test_what_fails_is_undone_and_what_came_before_is_kept(database: Database) -> None:
    called: list[str] = []
    database.set_fact("a", "1")
    database.after_commit(lambda: called.append("before"))
    with pytest.raises(RuntimeError), database.atomic():  # noqa: PT012  # it must fail at its end
        database.set_fact("a", "2")
        database.after_commit(lambda: called.append("inside"))
        raise RuntimeError
    assert database.fact("a") == "1"
    database.commit()
    assert called == ["before"]


def test_what_is_committed_outlives_the_process(database: Database, tmp_path: Path) -> None:
    database.set_fact("kept", "1")
    database.commit()
    database.set_fact("lost", "1")
    again = Database(tmp_path / "state.db")
    assert again.fact("kept") == "1"
    assert again.fact("lost") is None
    again.close()


def test_a_selection_can_only_name_columns(database: Database) -> None:
    with pytest.raises(ValueError, match="no column"):
        Resources(database).select(Selection(kind="k", equal={"1=1 --": "x"}))


def test_a_saved_resource_has_another_etag_unless_nobody_sees_the_change(
    database: Database,
) -> None:
    resources = Resources(database)
    resource = resources.add(Resource(id="r", kind="k", compartment="c", created=0, body={}))
    first = resource.etag
    resource.inner["secret"] = 1
    assert resources.save(resource, visible=False).etag == first
    assert resources.save(resource).etag != first
    kept = resources.get("k", "r")
    assert kept is not None
    assert kept.inner == {"secret": 1}
    assert resources.get("other", "r") is None


# The state directory


def test_a_state_directory_belongs_to_one_emulator(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    with pytest.raises(StartError, match="belongs to an emulator that runs already, with the"):
        StateDirectory(tmp_path)
    state.close()
    StateDirectory(tmp_path).close()


def test_a_state_remembers_its_tenancy_and_its_rules(tmp_path: Path) -> None:
    state = State(Settings(state=tmp_path))
    tenancy = state.foundation.tenancy
    state.close()
    again = State(Settings(state=tmp_path, rules={"oracle_tags": "no"}))
    assert again.foundation.tenancy == tenancy
    again.close()
    later = State(Settings(state=tmp_path))
    assert later.foundation.rules.oracle_tags is False
    later.close()


def test_a_state_directory_that_is_cleared_keeps_the_authority_alone(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    Authority(tmp_path)
    KeyFile(tmp_path / "token.key").key()
    State(Settings(state=tmp_path)).close()
    protected = tmp_path / "runs" / "run" / "protected"
    protected.mkdir(parents=True)
    (protected / "output").touch()
    protected.chmod(0o500)
    directory.clear()
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "ca.key", "lock"}
    directory.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"region": "mars-north-1"}, "there is no region 'mars-north-1'"),
        ({"namespace": "My/Tenancy"}, "'My/Tenancy' can't be a namespace"),
        ({"rules": {"speed": "fast"}}, "there is no rule 'speed'"),
        ({"mode": "dream"}, "mode: must be one of"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(StartError, match=message):
        State(Settings(state=tmp_path, **settings))


def test_a_tenancy_does_not_move_to_another_region(tmp_path: Path) -> None:
    State(Settings(state=tmp_path, region="eu-frankfurt-1")).close()
    with pytest.raises(StartError, match="a tenancy in eu-frankfurt-1, not in us-phoenix-1"):
        State(Settings(state=tmp_path, region="us-phoenix-1"))


def test_the_namespace_of_object_storage_is_chosen_once(tmp_path: Path) -> None:
    state = State(Settings(state=tmp_path, namespace="mytenancy"))
    assert state.foundation.tenancy.namespace == "mytenancy"
    state.close()
    with pytest.raises(StartError, match="the Object Storage namespace mytenancy, not other"):
        State(Settings(state=tmp_path, namespace="other"))


# Content


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


@pytest.mark.asyncio
async def test_content_is_hashed_as_it_comes(tmp_path: Path, database: Database) -> None:
    store = ContentStore(tmp_path / "content", database)
    body = [b"a" * 700_000, b"b" * 700_000, b"c"]
    content = await store.receive(pieces(*body), 1 << 30)
    whole = b"".join(body)
    assert content.size == len(whole)
    assert content.md5 == b64encode(hashlib.md5(whole, usedforsecurity=False).digest()).decode()
    assert content.sha256 == b64encode(hashlib.sha256(whole).digest()).decode()
    assert store.path(content.id).read_bytes() == whole


@pytest.mark.asyncio
async def test_too_much_content_leaves_nothing(tmp_path: Path, database: Database) -> None:
    store = ContentStore(tmp_path / "content", database)
    with pytest.raises(TooLarge):
        await store.receive(pieces(b"a" * 10, b"b"), 10)
    assert [path for path in (tmp_path / "content").rglob("*") if path.is_file()] == []


@pytest.mark.asyncio
async def test_parts_are_joined(tmp_path: Path, database: Database) -> None:
    store = ContentStore(tmp_path / "content", database)
    parts = [await store.receive(pieces(part), 10) for part in (b"one", b"two")]
    whole = await store.join(part.id for part in parts)
    assert store.path(whole.id).read_bytes() == b"onetwo"


@pytest.mark.asyncio
async def test_content_goes_when_that_is_permanent(tmp_path: Path, database: Database) -> None:
    store = ContentStore(tmp_path / "content", database)
    content = await store.receive(pieces(b"x"), 10)
    store.remove(content.id)
    assert store.path(content.id).exists()
    database.commit()
    assert not store.path(content.id).exists()


@pytest.mark.asyncio
async def test_content_without_a_record_is_swept(tmp_path: Path, database: Database) -> None:
    store = ContentStore(tmp_path / "content", database)
    kept, left = [await store.receive(pieces(b"x"), 10) for _ in range(2)]
    store.sweep(frozenset({kept.id}))
    assert store.path(kept.id).exists()
    assert not store.path(left.id).exists()


# Retry tokens


ALICE = Principal(kind="user", id="alice", tenancy="t")
BOB = Principal(kind="user", id="bob", tenancy="t")


class Tokens:
    """Retry tokens under some rules."""

    def __init__(self, database: Database, **rules: Any) -> None:
        self.tokens = RetryTokens(database, RuleBook(Rules(**rules)))

    def ticket(
        self,
        body: dict[str, Any],
        principal: Principal = ALICE,
        operation: catalogue.Operation = CREATE,
        token: str = "token",
    ) -> Ticket:
        return self.tokens.ticket(operation, principal, token, {}, body)

    def remember(self, ticket: Ticket, now: float = 0) -> None:
        self.tokens.remember(ticket, Answer(status=200, body={"id": "r"}, resource="r"), now)


def test_the_same_request_gets_the_same_answer_for_24_hours(database: Database) -> None:
    tokens = Tokens(database)
    ticket = tokens.ticket({"a": 1, "b": 2})
    assert tokens.tokens.earlier(ticket, 0) is None
    tokens.remember(ticket)
    again = tokens.tokens.earlier(tokens.ticket({"b": 2, "a": 1}), 86399)
    assert again == Answer(status=200, body={"id": "r"}, resource="r")
    assert tokens.tokens.earlier(ticket, 86401) is None


def test_another_request_with_the_token_is_a_conflict(database: Database) -> None:
    tokens = Tokens(database)
    tokens.remember(tokens.ticket({"a": 1}))
    with pytest.raises(ServiceError, match="409 InvalidatedRetryToken"):
        tokens.tokens.earlier(tokens.ticket({"a": 2}), 0)


@pytest.mark.parametrize(
    ("scope", "other_operation", "other_principal"),
    [
        ("principal-and-operation", False, False),
        ("principal", True, False),
        ("tenancy", True, True),
    ],
)
def test_a_token_is_unique_within_its_scope(
    database: Database, scope: str, *, other_operation: bool, other_principal: bool
) -> None:
    tokens = Tokens(database, retry_token_scope=scope)
    tokens.remember(tokens.ticket({"a": 1}))

    def collides(ticket: Ticket) -> bool:
        try:
            return tokens.tokens.earlier(ticket, 0) is not None
        except ServiceError:
            return True

    assert collides(tokens.ticket({"a": 1}, operation=CREATE_JOB)) is other_operation
    assert collides(tokens.ticket({"a": 1}, principal=BOB)) is other_principal


def test_two_requests_at_once_are_told_apart(database: Database) -> None:
    tokens = Tokens(database)
    ticket = tokens.ticket({})
    tokens.tokens.begin(ticket)
    with pytest.raises(ServiceError, match="409 Conflict"):
        tokens.tokens.earlier(ticket, 0)
    tokens.tokens.end(ticket)
    assert tokens.tokens.earlier(ticket, 0) is None


@pytest.mark.parametrize("token", ["", "x" * 65])
def test_a_token_has_1_to_64_characters(database: Database, token: str) -> None:
    with pytest.raises(ServiceError, match="1 to 64 characters"):
        Tokens(database).ticket({}, token=token)


# Faults


def strikes(faults: Faults, number: int, operation: str = "CreateJobRun") -> list[bool]:
    return [faults.strike("datascience", operation, "alice") is not None for _ in range(number)]


def test_a_fault_skips_and_counts() -> None:
    faults = Faults()
    faults.add({"operation": "Create*", "status": 500, "skip": 2, "count": 2})
    assert strikes(faults, 6) == [False, False, True, True, False, False]
    assert strikes(faults, 1, "GetJobRun") == [False]


def test_a_fault_strikes_by_chance_but_repeatably() -> None:
    chances = []
    for _ in range(2):
        faults = Faults()
        faults.add({"status": 503, "probability": 0.5, "seed": 7})
        chances.append(strikes(faults, 100))
    assert chances[0] == chances[1]
    assert 30 < sum(chances[0]) < 70


def test_a_fault_can_be_for_one_principal_or_service() -> None:
    faults = Faults()
    faults.add({"status": 500, "principal": "bob"})
    faults.add({"status": 500, "service": "object*"})
    assert strikes(faults, 1) == [False]
    assert faults.strike("objectstorage", "PutObject", "alice") is not None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"oparation": "x"}, "a fault has no field 'oparation'"),
        ({"status": "500"}, "status: must be int, not '500'"),
        ({"status": 200}, "status: must be 400 to 599, not 200"),
        ({"action": "lose"}, "action: must be drop or refuse"),
        ({}, "a fault needs a status, an action or a delay"),
        ({"delay": -1}, "delay and skip must be 0 or more"),
        ({"status": 500, "probability": 2}, "probability 0 to 1"),
    ],
)
def test_a_fault_that_can_not_be_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Faults().add(document)


# Journal


def entry(operation: str, status: int = 200) -> Entry:
    return Entry(
        time=0, method="GET", path="/", query="", service="s", operation=operation, status=status
    )


def test_the_journal_is_filtered_and_counted(database: Database) -> None:
    journal = Journal(database)
    for operation, status in (("CreateJob", 200), ("CreateJobRun", 200), ("CreateJobRun", 409)):
        journal.add(entry(operation, status))
    assert [found["seq"] for found in journal.find(Filter(operation="Create*"), 10)] == [1, 2, 3]
    assert [found["seq"] for found in journal.find(Filter(operation="*Run", since=2), 10)] == [3]
    assert [found["code"] for found in journal.find(Filter(status=409), 10)] == [""]
    assert journal.counts() == {"CreateJob": {"200": 1}, "CreateJobRun": {"200": 1, "409": 1}}
    journal.clear()
    assert journal.find(Filter(), 10) == []
    assert journal.last() == 3


@pytest.mark.asyncio
async def test_who_waits_gets_the_entry_as_soon_as_it_is_there(database: Database) -> None:
    journal = Journal(database)
    waiting = asyncio.create_task(journal.wait(Filter(operation="GetJob"), 10, 60))
    await asyncio.sleep(0)
    journal.add(entry("ListJobs"))
    await asyncio.sleep(0)
    assert not waiting.done()
    journal.add(entry("GetJob"))
    async with asyncio.timeout(10):
        assert [found["operation"] for found in await waiting] == ["GetJob"]


@pytest.mark.asyncio
async def test_who_waits_in_vain_gets_nothing(database: Database) -> None:
    assert await Journal(database).wait(Filter(), 10, 0.01) == []


# Tokens and certificates


@pytest.fixture
def tokens(tmp_path: Path) -> TokenService:
    return TokenService(KeyFile(tmp_path / "token.key").key, "ocid1.tenancy.oc1..t")


def test_a_token_names_its_run_and_its_key(tokens: TokenService) -> None:
    session = tokens.issue("ocid1.datasciencejobrun.oc1.iad.r", "compartment", 60)
    principal, key, expiry = tokens.verify(session.token)
    assert principal.id == "ocid1.datasciencejobrun.oc1.iad.r"
    assert principal.compartment == "compartment"
    assert principal.kind == "resource"
    assert (
        key.public_numbers() == keys.load_private(session.private_key).public_key().public_numbers()
    )
    assert expiry > 0


@pytest.mark.parametrize("lifetime", [-10])
def test_an_expired_token_is_refused(tokens: TokenService, lifetime: int) -> None:
    session = tokens.issue("r", "c", lifetime)
    with pytest.raises(ServiceError, match="The security token isn't valid: Signature has expired"):
        tokens.verify(session.token)


def test_a_token_of_another_emulator_is_refused(tokens: TokenService, tmp_path: Path) -> None:
    session = tokens.issue("r", "c", 60)
    other = TokenService(KeyFile(tmp_path / "other.key").key, "ocid1.tenancy.oc1..t")
    with pytest.raises(ServiceError, match="Signature verification failed"):
        other.verify(session.token)


def test_the_key_of_tokens_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    made = KeyFile(path)
    assert not path.exists()
    assert made.key() is made.key()
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.private_pem(KeyFile(path).key()) == keys.private_pem(made.key())


def test_keys_and_authorities_are_for_their_owner_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    context = authority.context("datascience.us-ashburn-1.oci.oraclecloud.com")
    assert authority.context("datascience.us-ashburn-1.oci.oraclecloud.com") is context
    assert Authority(tmp_path).certificate_path.read_text() == (tmp_path / "ca.pem").read_text()
