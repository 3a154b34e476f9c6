"""OCI as slow and as inexact as it is, and each rule that no document settles at each of its values."""

import pytest
from tests.component.realistic.open_rules import MET, other_values


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the rules as they are by default, and once for each other value of a rule that it meets.

    The other values are breadth: `make test-all` runs them.
    """
    if "rules" not in metafunc.fixturenames:
        return
    name = metafunc.function.__name__
    others = [
        pytest.param({rule: value}, id=f"{rule}={value}", marks=pytest.mark.breadth)
        for rule, tests in MET.items()
        if name in tests
        for value in other_values(rule)
    ]
    metafunc.parametrize("rules", [pytest.param({}, id="defaults"), *others])


@pytest.fixture
def oci(rules: dict[str, object]) -> dict[str, object]:
    return {"profile": "realistic", "rules": rules}
