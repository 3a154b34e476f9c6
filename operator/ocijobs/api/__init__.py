"""The custom resources as typed, frozen models: the single source of `crds/` and of the docs.

Nothing here does IO, reads a clock, or knows kopf, Kubernetes' client or OCI's SDK.
"""
