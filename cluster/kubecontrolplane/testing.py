"""A pytest plugin: one control plane for a whole run of tests, a namespace for each test.

Load it from the top-level conftest.py with `pytest_plugins = ["kubecontrolplane.testing"]`. The control
plane starts when the first test asks for it, is shared by all workers of pytest-xdist, and ends
with the run. A run that was killed leaves its control plane behind; the next run ends that.

Instead, tests can have a control plane that runs already, or a cluster of another maker that is named
as disposable.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from kubecontrolplane.cluster import Cluster, ControlPlane, down, find_by_kubeconfig, up
from kubecontrolplane.disposable import open_disposable
from kubecontrolplane.errors import ApiError
from kubecontrolplane.process import ProcessRecord, current_process

_PREFIX = "kubecontrolplane-run-"
_OWNER = "owner.json"
_CONTROL_PLANE = "control-plane"
_ACCOUNT_SECONDS = 120
# A namespace is a DNS label, at most 63 characters; the rest is for what makes it unique.
_NAME_PART = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of pytest, in whichever of its processes.

    Attributes:
        directory: the control plane's.
        owner: the process that ends it; None if nobody does, as a user named the directory.
        here: whether that process is this one.
    """

    directory: Path
    owner: ProcessRecord | None
    here: bool


_RUN = pytest.StashKey[_Run]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what names another cluster than one that is made for the run."""
    group = parser.getgroup("kubecontrolplane")
    group.addoption(
        "--control-plane-dir",
        type=Path,
        metavar="DIR",
        help="Use the control plane of this directory, and leave it running afterwards.",
    )
    group.addoption(
        "--cluster-kubeconfig",
        type=Path,
        metavar="FILE",
        help="Use the cluster of this file's current context; it needs --disposable-cluster.",
    )
    group.addoption(
        "--disposable-cluster",
        metavar="URL",
        help="Say that tests may do as they please in the cluster whose API server has this address.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Settle where this run's control plane will be, should a test want one."""
    _check_options(config)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    named: Path | None = config.getoption("--control-plane-dir")
    if named is not None:
        run = _Run(directory=named.absolute(), owner=None, here=False)
    elif worker is not None:
        owner = ProcessRecord(**worker["kubecontrolplane_owner"])
        run = _Run(directory=Path(worker["kubecontrolplane_directory"]), owner=owner, here=False)
    else:
        # Not made yet: most runs never need it. Nobody can guess the name and be there first.
        unique = f"{_PREFIX}{secrets.token_hex(8)}"
        directory = Path(tempfile.gettempdir(), unique, _CONTROL_PLANE)
        run = _Run(directory=directory, owner=current_process(), here=True)
    config.stash[_RUN] = run


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what the controller settled."""
    run = node.config.stash[_RUN]
    node.workerinput["kubecontrolplane_directory"] = str(run.directory)
    if run.owner is not None:
        node.workerinput["kubecontrolplane_owner"] = asdict(run.owner)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End this run's control plane, after all tests and all workers."""
    run = config.stash.get(_RUN, None)
    if run is not None and run.here and run.directory.parent.exists():
        _end(run.directory.parent)


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """The control plane of this run, with an audit log; or the cluster that was named as disposable.

    KUBECONFIG leads to it meanwhile, so that no client falls back to a cluster of the user's.
    """
    given: Path | None = request.config.getoption("--cluster-kubeconfig")
    found: Cluster
    if given is None:
        found = _control_plane(request.config.stash[_RUN])
    else:
        named = request.config.getoption("--disposable-cluster")
        found = open_disposable(given, named=named, folder=tmp_path_factory.mktemp("cluster"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(found.kubeconfig))
        yield found


@pytest.fixture(scope="session")
def own_cluster(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane, with an audit log, that this process of pytest has for itself.

    For what concerns a whole cluster, such as definitions of others.
    """
    run = request.config.stash[_RUN]
    parent = run.directory.parent
    if run.owner is not None:
        _end_orphans()
        _claim(parent, run.owner)
    started = up(parent / f"own-{os.getpid()}", audit=True)
    try:
        yield started
    finally:
        started.down(delete=True)


@pytest.fixture(scope="session")
def cluster_stays(request: pytest.FixtureRequest) -> bool:
    """Whether `cluster` goes on when this run ends, so that tests take away what they have made."""
    return request.config.stash[_RUN].owner is None or request.config.getoption(
        "--cluster-kubeconfig"
    )


@pytest.fixture
def namespace(
    cluster: Cluster, request: pytest.FixtureRequest, *, cluster_stays: bool
) -> Iterator[str]:
    """A namespace of the test's own, with its default ServiceAccount."""
    with namespace_in(cluster, request.node.name, delete=cluster_stays) as name:
        yield name


@contextmanager
def namespace_in(cluster: Cluster, test: str, *, delete: bool = True) -> Iterator[str]:
    """Make a namespace for a test in a control plane.

    Args:
        cluster: the control plane.
        test: what the namespace is named after.
        delete: whether to delete it at the end, without waiting. Where the control plane ends soon
            it is better left: the controller asks for every resource that there is, twice, and
            goes on asking for ever while an object in it has a finalizer that nobody removes.
    """
    name = namespace_name(test)
    api = cluster.api()
    api.request(
        "POST",
        "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
    )
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    api.await_object(accounts, "default", seconds=_ACCOUNT_SECONDS)
    yield name
    if not delete:
        return
    try:
        api.request("DELETE", f"/api/v1/namespaces/{name}")
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:  # the test may have deleted it itself
            raise


def namespace_name(test: str) -> str:
    """A name that is unique and tells which test it belongs to (a DNS label, RFC 1123)."""
    readable = re.sub(r"[^a-z0-9]+", "-", test.lower())[:_NAME_PART].strip("-")
    return f"{readable or 'test'}-{secrets.token_hex(5)}"


def _check_options(config: pytest.Config) -> None:
    given, named = (
        config.getoption("--cluster-kubeconfig"),
        config.getoption("--disposable-cluster"),
    )
    if (given is None) != (named is None):
        raise pytest.UsageError(
            "--cluster-kubeconfig FILE and --disposable-cluster URL go together: tests do as they please in a "
            "cluster, so both its kubeconfig and the address of its API server are wanted"
        )
    if given is not None and config.getoption("--control-plane-dir") is not None:
        raise pytest.UsageError("--control-plane-dir and --cluster-kubeconfig name two clusters")


def _control_plane(run: _Run) -> ControlPlane:
    if run.owner is not None:
        _end_orphans()
        _claim(run.directory.parent, run.owner)
    return find_by_kubeconfig(up(run.directory, audit=True).kubeconfig)


def _claim(directory: Path, owner: ProcessRecord) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    owner.save(directory / _OWNER)


def _end_orphans() -> None:
    """End the control planes of runs that were killed before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        owner = ProcessRecord.load(path)
        if owner is not None and not owner.alive:
            _end(path.parent)


def _end(directory: Path) -> None:
    for each in directory.iterdir():
        if each.is_dir():
            down(each, delete=True)
    (directory / _OWNER).unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # another run may be ending the same orphan
        directory.rmdir()
