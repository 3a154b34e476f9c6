"""What every kind of test may ask for."""

# The fixtures `cluster` (a real control plane, started when the first test wants it), `namespace` and `definitions`;
# `kueue` is another one, with Kueue.
pytest_plugins = ["kubecontrolplane.testing", "tests.support.stages", "tests.support.kueue"]
