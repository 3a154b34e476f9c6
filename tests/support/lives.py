"""Lives of simulated runs that go on when the operator has seen how they stand, however slow it is."""

import time

from tests.support.namespace import Document
from tests.support.stage import Stage


def seen_in_each_state(stage: Stage, run: Document) -> str:
    """Have a run be Accepted and then Running in its status, and return its OCID.

    Its plan must hold it in progress; what ends it is up to the test. The emulator's clock stands while it is accepted,
    and then catches up.
    """
    name = run["metadata"]["name"]
    stage.emulator.set_rate(0)
    stage.create(run)
    accepted = stage.until_reason("OCIJobRun", name, "Accepted")
    stage.emulator.set_rate(1)
    stage.emulator.advance(time.time() - stage.emulator.now())
    stage.until_reason("OCIJobRun", name, "Running")
    return str(accepted["status"]["jobRunId"])
