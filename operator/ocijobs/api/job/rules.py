"""Rules of an OCIJob's spec that are about several of its fields, each with what it says when it is broken.

What never changes, what goes with which infrastructure, and what only a driver of ours can do.
"""

from __future__ import annotations

JOB_RULES: tuple[tuple[str, str], ...] = (
    (
        (
            "has(self.compartmentId) == has(oldSelf.compartmentId) && "
            "(!has(self.compartmentId) || self.compartmentId == oldSelf.compartmentId)"
        ),
        "compartmentId is immutable: create another OCIJob",
    ),
    (
        (
            "has(self.projectId) == has(oldSelf.projectId) && "
            "(!has(self.projectId) || self.projectId == oldSelf.projectId)"
        ),
        "projectId is immutable: create another OCIJob",
    ),
    (
        (
            "has(self.identityRef) == has(oldSelf.identityRef) && "
            "(!has(self.identityRef) || self.identityRef == oldSelf.identityRef)"
        ),
        "identityRef is immutable: create another OCIJob",
    ),
    (
        "has(self.infrastructure.dataFlow) == has(oldSelf.infrastructure.dataFlow)",
        "infrastructure can't change from one service to the other: create another OCIJob",
    ),
    (
        "!has(self.runtime) || has(self.runtime.spark) == has(self.infrastructure.dataFlow)",
        "runtime.spark runs on infrastructure.dataFlow, and nothing else does",
    ),
    (
        "!has(self.projectId) || !has(self.infrastructure.dataFlow)",
        "projectId is for Data Science: leave it out with infrastructure.dataFlow",
    ),
    (
        (
            "!has(self.runtime) || !has(self.runtime.spark) || !has(self.infrastructure.dataFlow) || "
            "(self.infrastructure.dataFlow.type == 'SESSION') != has(self.runtime.spark.source)"
        ),
        "runtime.spark.source is needed, unless infrastructure.dataFlow.type is SESSION, which has none",
    ),
    (
        (
            "!has(self.runtime) || !has(self.runtime.spark) || !has(self.infrastructure.dataFlow) || "
            "self.infrastructure.dataFlow.type == 'SESSION' || "
            "(self.infrastructure.dataFlow.language in ['SCALA', 'JAVA']) == has(self.runtime.spark.className)"
        ),
        "runtime.spark.className is needed for SCALA and JAVA, and only for them",
    ),
    (
        "!has(self.runtime) || !has(self.runtime.spark) || !has(self.outputs)",
        (
            "our driver saves outputs, and Spark jobs do not have it: write to Object Storage with "
            "Spark, such as df.write.parquet('oci://bucket@namespace/path')"
        ),
    ),
    (
        "has(self.runtime) || has(self.adopt)",
        "runtime must be given, unless an OCI job is adopted",
    ),
    (
        "has(self.runtime) || !has(self.infrastructure.dataFlow)",
        (
            "runtime must be given with infrastructure.dataFlow: OCI does not tell which code an adopted "
            "application has"
        ),
    ),
    (
        "has(self.adopt) == has(oldSelf.adopt) && (!has(self.adopt) || self.adopt.ocid == oldSelf.adopt.ocid)",
        "adopt.ocid is immutable: create another OCIJob",
    ),
    (
        "has(self.runtime) || !(has(self.outputs) || has(self.results))",
        "outputs and results need our driver: give a runtime, too",
    ),
    (
        "!has(self.runtime) || !has(self.runtime.container) || !has(self.outputs)",
        (
            "our driver saves outputs, and a container does not have it: mount a bucket with "
            "infrastructure.dataScienceJob.storageMounts"
        ),
    ),
    (
        (
            "(has(self.runtime) && !has(self.runtime.container) && !has(self.runtime.spark)) || "
            "!has(self.env) || "
            "self.env.all(e, !has(e.valueFrom) || !has(e.valueFrom.vaultSecretRef))"
        ),
        (
            "our driver reads vaultSecretRef, and containers and Spark do not have it: let the code "
            "read the secret"
        ),
    ),
    (
        (
            "!has(self.runtime) || !((has(self.runtime.container) && has(self.runtime.container.replicas)) || "
            "(has(self.runtime.pyTorchDistributed) && "
            "has(self.runtime.pyTorchDistributed.replicas))) || "
            "!has(self.infrastructure.dataScienceJob) || "
            "!(has(self.infrastructure.dataScienceJob.jobNodeGroups) || "
            "has(self.infrastructure.dataScienceJob.computeTarget))"
        ),
        "replicas are one group of nodes: leave them out with jobNodeGroups or computeTarget",
    ),
)
"""The CEL rules of OCIJobSpec."""
