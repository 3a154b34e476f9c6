"""What every kind of test may ask for."""

# The fixtures `cluster` (a real control plane, started when the first test wants it) and `namespace`.
pytest_plugins = ["devcluster.testing"]
