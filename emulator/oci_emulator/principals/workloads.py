"""Workloads of Kubernetes clusters: their service accounts' tokens, and who they are with them."""

import json
from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.errors import not_authenticated
from oci_emulator.calls.principal import Principal
from oci_emulator.formats.jsontypes import compact
from oci_emulator.state.database import Database

_FACT = "clusters"
_ALGORITHMS = ["RS256", "ES256"]


class Workloads:
    """Knows the clusters, and by which keys their service accounts' tokens are signed."""

    def __init__(self, database: Database, tenancy: str) -> None:
        self._database = database
        self._tenancy = tenancy

    def put(self, cluster: str, key_set: Mapping[str, Any]) -> None:
        """Register a cluster with its JSON Web Key Set, as its ``/openid/v1/jwks`` shows it.

        Raises:
            ValueError: it is none.
        """
        import jwt  # noqa: PLC0415  # when it is first needed: many emulators never do

        try:
            jwt.PyJWKSet.from_dict(dict(key_set))
        except (jwt.PyJWTError, AttributeError, TypeError) as error:
            raise ValueError(f"jwks: {error}") from None
        self._database.set_fact(_FACT, compact({**self.clusters(), cluster: key_set}))

    def clusters(self) -> dict[str, Any]:
        """OCID of a cluster -> its key set."""
        clusters: dict[str, Any] = json.loads(self._database.fact(_FACT) or "{}")
        return clusters

    def authenticate(self, token: str) -> Principal:
        """Who has a service account's token.

        Raises:
            ServiceError: 401, no registered cluster signed it, or it has expired.
        """
        import jwt  # noqa: PLC0415  # when it is first needed: many emulators never do

        for cluster, key_set in self.clusters().items():
            for key in jwt.PyJWKSet.from_dict(key_set).keys:
                try:
                    claims = jwt.decode(
                        token, key, algorithms=_ALGORITHMS, options={"verify_aud": False}
                    )
                except jwt.InvalidTokenError:
                    # Another key may fit; if none does, that is told below.
                    continue
                return self._principal(cluster, claims)
        raise not_authenticated("No registered cluster has signed this service account's token.")

    def _principal(self, cluster: str, claims: Mapping[str, Any]) -> Principal:
        match claims.get("kubernetes.io"):
            case {"namespace": str() as namespace, "serviceaccount": {"name": str() as name}}:
                return Principal(
                    kind="resource",
                    id=f"{cluster}/{namespace}/{name}",
                    tenancy=self._tenancy,
                    resource_type="workload",
                    facts={
                        "cluster_id": cluster,
                        "namespace": namespace,
                        "service_account": name,
                    },
                )
        raise not_authenticated("The token is none of a service account.")
