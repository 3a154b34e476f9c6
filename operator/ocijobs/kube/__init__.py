"""Kubernetes: reads, the writer of status and finalizers, Events, the leader's lease. It decides nothing."""

from ocijobs.kube.package import import_parts_only

# Before any module here imports `kubernetes`.
import_parts_only()
