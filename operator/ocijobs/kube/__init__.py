"""Kubernetes: reads, the writer of status and finalizers, Events, the leader's lease. It decides nothing."""
