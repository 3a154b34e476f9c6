"""What one namespace sends, however bad, is told there, and is nothing to another's runs, nor to who leads."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kubernetes_client
from kubernetes import watch as kubernetes_watch
from tests.support import manifests
from tests.support.lives import seen_in_each_state
from tests.support.namespace import Document, phase
from tests.support.patience import patience
from tests.support.poison import POISONS, ground
from tests.support.stage import Stage

from kubecontrolplane.cluster import Cluster
from kubecontrolplane.testing import namespace_in

pytestmark = [pytest.mark.no_operator, pytest.mark.timeout(600)]


class Replicas:
    """Two operators that serve a namespace that is poisoned, and another one whose runs go through.

    Args:
        stage: of the first namespace.
        others: of the second one; no operator of its own runs.
    """

    def __init__(self, stage: Stage, others: Stage) -> None:
        self._stage, self._others = stage, others
        self._lived = 0
        self._term = ("", 0)
        served = f'["{stage.namespace}", "{others.namespace}"]'
        # What is looked at after the end would be one more write, if it came in time.
        late = {"log_settle_seconds": 3600, "utilisation_settle_seconds": 3600}
        changes = {**late, "source_timeout_seconds": patience(10), "artifact_limit_bytes": 64 << 20}
        self._operators = [
            stage.replica(stage.folder / name, watch_namespaces=served, **changes)
            for name in ("one", "two")
        ]

    def start(self) -> None:
        """Start both, and return once the others' job is in OCI."""
        for operator in self._operators:
            operator.start()
        others = self._others
        if not self._lived:
            others.identity(others.emulator.add_user("others").config)
            others.apply(manifests.job())
        others.until_synced("job")
        self._term = self._until_led()

    def serve_others(self) -> None:
        """Have a run of the others live by its normal rounds, under the same leader."""
        others, emulator = self._others, self._others.emulator
        self._lived += 1
        name = f"others-{self._lived}"
        seen = emulator.last_seq()
        run_id = seen_in_each_state(others, manifests.run(name))
        emulator.force_run(run_id, "SUCCEEDED")
        others.until("OCIJobRun", name, _is_let_go)
        assert self._until_noted(name) == {"": 2, "status": 4}
        created = emulator.journal("CreateJobRun", since=seen, limit=10_000)
        assert [entry.resource_id for entry in created].count(run_id) == 1
        self._both_go_on()

    def _until_noted(self, name: str) -> Counter[str]:
        """Return the writes of a run that was let go, once the API server has noted the last one of them."""
        deadline = time.monotonic() + patience(10)
        while True:
            written = Counter(kind for kind, _ in self._stage.writes("OCIJobRun", name))
            if written[""] == 2 or time.monotonic() > deadline:
                return written
            # It answers before it notes, and tells nobody of a note.
            time.sleep(0.05)

    def _both_go_on(self) -> None:
        assert self._until_led() == self._term
        for operator in self._operators:
            assert operator.alive
            assert operator.fetch("/healthz") is not None

    def _until_led(self) -> tuple[str, int]:
        """Return who leads, as soon as somebody does, and how often that has changed."""
        stage = self._stage
        leases = kubernetes_client.CoordinationV1Api(stage.core.api_client)
        changes: Any = kubernetes_watch.Watch().stream(
            leases.list_namespaced_lease, stage.home, timeout_seconds=int(patience(60))
        )
        for event in changes:
            spec = event["object"].spec
            if spec.holder_identity:
                return spec.holder_identity, spec.lease_transitions
        raise AssertionError(f"nobody leads{stage.hint()}")

    def end(self) -> None:
        """End both."""
        for operator in self._operators:
            operator.end()


def _is_let_go(run: Document) -> bool:
    return phase(run) == "Succeeded" and "finalizers" not in run["metadata"]


@pytest.fixture
def replicas(
    stage: Stage,
    definitions: Cluster,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    *,
    cluster_stays: bool,
) -> Iterator[Replicas]:
    """Two operators that are not started yet."""
    with namespace_in(definitions, "others", delete=False) as namespace:
        launch = request.getfixturevalue("launch")
        others = Stage(definitions, namespace, stage.emulator, tmp_path / "others", launch)
        replicas = Replicas(stage, others)
        try:
            yield replicas
        finally:
            replicas.end()
            others.end(clear=cluster_stays)


@pytest.mark.breadth
@pytest.mark.parametrize("name", POISONS)
def test_one_poison_is_told_and_others_are_served(
    stage: Stage, replicas: Replicas, name: str
) -> None:
    with ground(stage) as on:
        replicas.start()
        stage.identity()
        POISONS[name].plant(on, name)
        replicas.serve_others()
        POISONS[name].told(on, name)
        replicas.serve_others()


def test_all_poisons_together_running_and_at_the_start(stage: Stage, replicas: Replicas) -> None:
    with ground(stage) as on:
        replicas.start()
        stage.identity()
        for name, poison in POISONS.items():
            poison.plant(on, name)
        replicas.serve_others()
        for name, poison in POISONS.items():
            poison.told(on, name)
        replicas.serve_others()
        replicas.end()
        replicas.start()
        replicas.serve_others()
        for name, poison in POISONS.items():
            poison.told(on, name)
        replicas.serve_others()
