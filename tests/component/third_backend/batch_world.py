"""The operator and OCI on one clock, with a third service in OCI."""

from __future__ import annotations

from tests.component.third_backend.port import BatchPort
from tests.component.world import World
from tests.support.stage import Stage


class BatchWorld(World):
    """A cluster, OCI with Batch in it, and an operator.

    Attributes:
        batch: the service.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.batch = BatchPort(self.clock)
