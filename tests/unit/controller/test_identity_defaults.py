"""What neither a job nor its identity says is the operator's own default: of every default that an identity has."""

from __future__ import annotations

import pytest

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.clock import SystemClock
from ocijobs.controller.identities import Identities
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.testing import DEFAULT_SETTINGS, NAMESPACE


@pytest.mark.parametrize("name", list(IdentityDefaults.model_fields))
def test_each_default_of_an_identity_can_be_the_operators(name: str) -> None:
    given = "oci://code@ns/spark" if name.endswith("uri") else "ocid1.thing.oc1..a"
    settings = DEFAULT_SETTINGS.model_copy(update={f"default_{name}": given})
    identities = Identities(Store(), Memory(), SystemClock(), settings)
    view = identities.view(NAMESPACE, IdentityReference(name="default"))
    assert getattr(view.defaults, name) == given
