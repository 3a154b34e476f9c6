"""What must hold of code that is in folders of Object Storage: that of Spark jobs."""

from __future__ import annotations

from tests.unit.reconcile.simulation.job_world import JobWorld
from tests.unit.reconcile.simulation.laws import demand

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.reconcile.actions.jobs import DeleteCode, UploadArtifact
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.observation import JobObservation


class CodeLaws:
    """Watches the folders of a job's code."""

    def __init__(self, world: JobWorld) -> None:
        self._world = world

    @staticmethod
    def on_decision(o: JobObservation, decision: Decision[OCIJobStatus]) -> None:
        """Code is deleted only where nobody goes on having it."""
        kept = () if o.job.metadata.deleting else o.job.status.revisions
        needed = {r.artifact.uri for r in kept if r.artifact is not None and not r.removing}
        for action in decision.actions:
            if isinstance(action, DeleteCode):
                demand(action.uri not in o.code_in_use, "code that another job has stays")
                demand(action.uri not in needed, "code of a revision that stays is not deleted")

    @staticmethod
    def on_upload(job: OCIJob, action: UploadArtifact) -> None:
        """Code goes where status says."""
        uri = action.artifact.uri
        announced = {r.artifact.uri for r in job.status.revisions if r.artifact is not None}
        demand(uri is None or uri in announced, "no code is uploaded to where status does not say")

    def after_call(self) -> None:
        """A revision that can be run has its code, as long as nobody asks for its deletion."""
        job = self._world.api.object
        if not self._world.circumstances.spark or job is None or job.metadata.deleting:
            return
        for revision in job.status.revisions:
            artifact = revision.artifact
            if revision.complete and not revision.removing and artifact is not None:
                there = self._world.applications.folders.get(artifact.uri or "")
                demand(there == artifact.sha256, "a complete revision has its code")

    def none_is_left(self, given_up: set[str]) -> None:
        """Nothing is in Object Storage that nobody has, but what came after its time or was given up."""
        oci = self._world.applications
        for uri in oci.folders:
            spared = uri in self._world.code_in_use or uri in oci.strays
            demand(spared or oci.uploaders[uri] & given_up, "no code is left of what went")
