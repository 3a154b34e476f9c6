"""What users may send to the fetcher: each poison is refused in words and within its limits, and others go on."""

import asyncio
import base64
import gzip
import hashlib
import io
import os
import signal
import tarfile
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.support.fetching import LIMITS, FetcherProcess, children_of, until, until_alone
from tests.support.git_server import Repository, served_repository
from tests.support.web_server import WebFiles, served_files

from ocijobs.artifact.files import sources_digest
from ocijobs.fetcher.protocol import (
    FetchAnswer,
    GitCommit,
    GivenFiles,
    Limits,
    RefusalKind,
    SignedObject,
    StoredObjects,
    WebFile,
)

pytestmark = pytest.mark.asyncio

PLAIN = GivenFiles(files={"main.py": b"print(1)"})
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def fetcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FetcherProcess]:
    """A fetcher that this module's tests have one after the other."""
    with FetcherProcess(tmp_path_factory.mktemp("fetcher")) as fetcher:
        yield fetcher


@pytest.fixture
def web() -> Iterator[WebFiles]:
    with served_files() as files:
        yield files


def limits(**changes: object) -> Limits:
    return LIMITS.model_copy(update=changes)


def served(web: WebFiles, name: str, content: bytes) -> WebFile:
    web.content[name] = content
    return WebFile(url=f"{web.url}{name}", name=name, sha256=hashlib.sha256(content).hexdigest())


async def refused(
    fetcher: FetcherProcess,
    origin: GivenFiles | WebFile | GitCommit | StoredObjects,
    limits: Limits = LIMITS,
) -> tuple[RefusalKind, str]:
    answer, artifact = await fetcher.ask(origin, limits=limits)
    assert artifact == b""
    assert answer.refusal is not None, answer
    assert answer.refusal.message.startswith("spec.runtime.script.source: ")
    return answer.refusal.kind, answer.refusal.message.partition("source: ")[2]


async def serves(fetcher: FetcherProcess) -> bool:
    """Whether a plain request is done."""
    answer, artifact = await fetcher.ask(PLAIN)
    assert answer.artifact is not None
    return hashlib.sha256(artifact).hexdigest() == answer.artifact.sha256


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(content[: member.size]))
    return buffer.getvalue()


def empty_files(count: int) -> bytes:
    return tarred(*(tarfile.TarInfo(f"f{number}") for number in range(count)))


def inflating(header: bytes, mebibytes: int) -> bytes:
    """Return a compressed tar of a header and zeros; each member of gzip is a mebibyte of them."""
    return gzip.compress(header) + gzip.compress(bytes(MEBIBYTE)) * mebibytes


# What is built.


async def test_files_become_the_artifact_that_is_told_of(fetcher: FetcherProcess) -> None:
    answer, artifact = await fetcher.ask(PLAIN)
    told = answer.artifact
    assert told is not None
    assert (told.name, told.size) == ("job.zip", len(artifact))
    assert told.sha256 == hashlib.sha256(artifact).hexdigest()
    assert answer.digest == sources_digest(PLAIN.files)
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        assert archive.read("code/main.py") == b"print(1)"


async def test_objects_are_read_with_what_was_signed_for_them(
    fetcher: FetcherProcess, web: WebFiles
) -> None:
    web.token = "signed"
    web.content = {"n/o/main.py": b"print(1)", "n/o/a%20b%3D.py": b"x"}
    headers = {"authorization": "Bearer signed"}
    objects = tuple(
        SignedObject(name=name, url=f"{web.url}n/o/{path}", headers=headers)
        for name, path in {"main.py": "main.py", "lib/b.py": "a%20b%3D.py"}.items()
    )
    answer, artifact = await fetcher.ask(StoredObjects(objects=objects, unpack=False))
    assert answer.refusal is None
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        assert archive.read("code/lib/b.py") == b"x"
    # An address that is signed is sent as it is.
    assert [path for path, _ in web.asked] == ["n/o/main.py", "n/o/a%20b%3D.py"]
    wrong = SignedObject(name="main.py", url=f"{web.url}n/o/main.py", headers={})
    kind, words = await refused(fetcher, StoredObjects(objects=(wrong,), unpack=False))
    assert (kind, "the server answers 401" in words) == (RefusalKind.MISSING, True)


# Archives.


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("many.tar.gz", empty_files(30_000), "it has more than 100 files and folders"),
        ("many.zip", zipped(*((f"f{n}", b"") for n in range(101))), "it has more than 100 files"),
        ("dirs.zip", zipped(*((f"d{n}/", b"") for n in range(101))), "it has more than 100 files"),
        ("long.zip", zipped(("n" * 300, b"")), "has 300 bytes, and 255 are allowed: rename"),
        ("deep.zip", zipped(("d/" * 600 + "f", b"")), "has 1201 bytes, and 1024 are allowed"),
        ("both.zip", zipped(("d", b""), ("d/x", b"")), "d is a file, and a folder of d/x too"),
        ("out.zip", zipped(("../out", b"")), "../out leads out of the code"),
        ("odd.zip", zipped(("a\u202eb", b"")), "a\\u202eb has a character that can't be shown"),
        ("bomb.zip", zipped(("zeros", bytes(2 * MEBIBYTE))), "it has more than 1048576 bytes"),
        ("cut.zip", zipped(("a", b"a"))[:-10], "cut.zip is not a complete archive"),
        ("cut.tar.gz", empty_files(3)[:-20], "cut.tar.gz is not a complete archive"),
        ("none.tar.xz", b"no archive", "none.tar.xz is not a complete archive"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith((".gz", ".zip")) else "",
)
async def test_an_archive_that_can_not_be_had_is_refused_in_words(
    fetcher: FetcherProcess, web: WebFiles, name: str, content: bytes, words: str
) -> None:
    answer, artifact = await fetcher.ask(served(web, name, content))
    assert artifact == b""
    assert answer.refusal is not None
    assert answer.refusal.kind is RefusalKind.INVALID
    assert words in answer.refusal.message
    assert await serves(fetcher)


async def test_names_that_are_no_text_are_refused(fetcher: FetcherProcess, web: WebFiles) -> None:
    member = tarfile.TarInfo("n\udcff.py")
    kind, words = await refused(fetcher, served(web, "a.tar.gz", tarred(member)))
    assert (kind, words) == (
        RefusalKind.INVALID,
        "the name n\\udcff.py is not UTF-8: rename the file",
    )


async def test_what_an_archive_claims_of_its_sizes_is_not_trusted(
    fetcher: FetcherProcess, web: WebFiles
) -> None:
    honest = zipped(("zeros", bytes(2 * MEBIBYTE)))
    size = (2 * MEBIBYTE).to_bytes(4, "little")
    lying = honest.replace(size, (7).to_bytes(4, "little"))
    assert lying != honest
    kind, words = await refused(fetcher, served(web, "lying.zip", lying))
    assert kind is RefusalKind.INVALID
    assert "is not a complete archive" in words or "more than" in words


# Limits of the process.


async def test_what_needs_too_much_processor_time_is_ended(
    fetcher: FetcherProcess, web: WebFiles
) -> None:
    origin = served(web, "many.tar.gz", empty_files(60_000))
    few = limits(cpu_seconds=1, files=1_000_000)
    kind, words = await refused(fetcher, origin, few)
    assert kind is RefusalKind.LIMIT
    assert "more than 1 s of processor time (setting sourceCpuSeconds)" in words
    await until_alone(fetcher)


async def test_what_needs_too_much_memory_is_told(fetcher: FetcherProcess, web: WebFiles) -> None:
    # A name of 700 MiB, which would have to be in memory to be looked at.
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 700 * MEBIBYTE
    content = inflating(header.tobuf(tarfile.GNU_FORMAT), 701)
    origin = served(web, "name.tar.gz", content)
    # What is fetched is small.
    assert len(content) < MEBIBYTE
    kind, words = await refused(fetcher, origin, limits(memory_bytes=600 * MEBIBYTE))
    assert kind is RefusalKind.LIMIT
    assert "of memory (setting sourceMemoryBytes)" in words


async def test_a_process_that_is_killed_is_told_of_and_nobody_else_s_work_is_lost(
    fetcher: FetcherProcess,
) -> None:
    async with silent_server() as url:
        asked = asyncio.create_task(fetcher.ask(silent(url)))
        worker = await worker_of(fetcher)
        assert await serves(fetcher)
        os.kill(worker, signal.SIGKILL)
        answer, _ = await asked
    assert answer.refusal is not None
    assert answer.refusal.kind is RefusalKind.DIED
    assert "ended by SIGKILL" in answer.refusal.message


# Servers.


@asynccontextmanager
async def silent_server(answer: bytes = b"", *, endless: bool = False) -> AsyncIterator[str]:
    """A server that answers so, and then nothing, or without end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        try:
            while endless:
                writer.write(bytes(1 << 16))
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.zip"


def silent(url: str) -> WebFile:
    return WebFile(url=url, name="a.zip", sha256="0" * 64)


async def worker_of(fetcher: FetcherProcess) -> int:
    """Return the process that works on the one request, as soon as there is one."""
    await until(lambda: len(children_of(fetcher.pid)) > 1)
    return children_of(fetcher.pid)[1]


def alive(pid: int) -> bool:
    """Whether a process runs, or waits to be heard of."""
    return Path(f"/proc/{pid}/exe").exists()


async def test_a_server_that_does_not_answer_is_waited_for_as_long_as_is_allowed(
    fetcher: FetcherProcess,
) -> None:
    async with silent_server() as url:
        kind, words = await refused(fetcher, silent(url), limits(seconds=0.5))
    assert kind is RefusalKind.UNREACHABLE
    assert words == (
        "reading it takes longer than 0.5 s, as long as it may (setting sourceTimeoutSeconds)"
    )


async def test_a_server_without_end_is_read_to_the_limit(fetcher: FetcherProcess) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    async with silent_server(head, endless=True) as url:
        kind, words = await refused(fetcher, silent(url))
    assert kind is RefusalKind.INVALID
    assert "it has more than 1048576 bytes" in words


async def test_whoever_hangs_up_ends_the_work_and_all_that_it_has_started(
    fetcher: FetcherProcess,
) -> None:
    async with silent_server() as url:
        repository = GitCommit(url=f"{url.removesuffix('/a.zip')}/code.git", commit="c" * 40)
        asked = asyncio.create_task(fetcher.ask(repository))
        # The worker, git, and what git has started.
        await until(lambda: len(children_of(fetcher.pid)) > 3)
        asked.cancel()
        await until_alone(fetcher)


async def test_the_end_of_the_fetcher_is_no_source_s_fault(tmp_path: Path) -> None:
    fetcher = FetcherProcess(tmp_path).start()
    async with silent_server() as url:
        asked = asyncio.create_task(fetcher.ask(silent(url)))
        worker = await worker_of(fetcher)
        assert await asyncio.to_thread(fetcher.stop) == 0
        with pytest.raises(aiohttp.ClientResponseError, match="503"):
            await asked
    assert not alive(worker)


# Git.


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with served_repository(tmp_path / "git") as repository:
        yield repository


def commit(repository: Repository, files: Mapping[str, str], **more: str) -> GitCommit:
    return GitCommit(url=repository.url, commit=repository.commit(files), **more)


async def test_a_commit_with_too_many_files_is_refused_before_it_is_checked_out(
    fetcher: FetcherProcess, repository: Repository
) -> None:
    files = {f"data/{number}": "" for number in range(101)} | {"src/main.py": "print(1)"}
    origin = commit(repository, files)
    kind, words = await refused(fetcher, origin)
    assert kind is RefusalKind.INVALID
    assert "it has more than 100 files" in words
    # The folder of the code alone is not too much.
    answer, _ = await fetcher.ask(origin.model_copy(update={"path": "src"}))
    assert answer.refusal is None
    assert answer.digest == sources_digest({"main.py": b"print(1)"})


async def test_a_huge_file_of_a_repository_is_refused(
    fetcher: FetcherProcess, repository: Repository
) -> None:
    kind, words = await refused(fetcher, commit(repository, {"zeros": "0" * 4 * MEBIBYTE}))
    assert (kind, "it has more than 1048576 bytes" in words) == (RefusalKind.INVALID, True)
    # What can't be compressed is too much before anything is known of it.
    noise = base64.b64encode(os.urandom(18 * MEBIBYTE)).decode()
    kind, words = await refused(fetcher, commit(repository, {"noise": noise}))
    assert kind is RefusalKind.LIMIT, words
    assert "a larger file than an artifact may be (setting artifactLimitBytes)" in words
    assert await serves(fetcher)


async def test_a_reference_is_asked_for_without_reading_anything(
    fetcher: FetcherProcess, repository: Repository
) -> None:
    sha = repository.commit({"main.py": "print(1)"})
    answer, artifact = await fetcher.ask(GitCommit(url=repository.url, branch="main"))
    assert answer == FetchAnswer(commit=sha)
    assert artifact == b""


# Who asks.


async def test_whoever_does_not_know_the_token_is_sent_away(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("opensesame\n")
    with FetcherProcess(tmp_path, "--token-file", str(token)) as fetcher:
        answer, _ = await fetcher.ask(PLAIN, token="opensesame")
        assert answer.refusal is None
        for wrong in (None, "opensesame2", ""):
            with pytest.raises(aiohttp.ClientResponseError, match="401"):
                await fetcher.ask(PLAIN, token=wrong)


async def test_what_is_no_request_is_told_without_repeating_it(fetcher: FetcherProcess) -> None:
    connector = aiohttp.UnixConnector(str(fetcher.path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://fetcher/v1/fetch", data=b'{"origin": "password"}') as answer,
    ):
        text = await answer.text()
    assert answer.status == 400
    assert "job_name" in text
    assert "password" not in text


async def test_what_a_killed_fetcher_left_is_gone_when_the_next_one_starts(tmp_path: Path) -> None:
    first = FetcherProcess(tmp_path).start()
    async with silent_server() as url:
        asked = asyncio.create_task(first.ask(silent(url)))
        worker = await worker_of(first)
        [left] = first.places
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(aiohttp.ClientError):
            await asked
    first.stop()
    # What it has started ends with it.
    await until(lambda: not alive(worker))
    assert left.exists()
    first.path.unlink()
    with FetcherProcess(tmp_path) as second:
        assert await serves(second)
        assert not left.exists()
