"""The functional core: what is to be done, decided from what is observed.

`decide_*(observed, now)` of each kind is total and deterministic, and does no IO. It returns a `Decision`: the
complete status, actions as data, and when to look again. Carried out and observed again, a decision reaches a
fixed point. A terminal phase is never left, and no attempt has two live runs. tests/unit/reconcile/ holds these
as properties over generated histories.

Nothing here knows kopf, Kubernetes' client or OCI's SDK.
"""
