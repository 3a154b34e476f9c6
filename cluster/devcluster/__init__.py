"""A real Kubernetes control plane on loopback, built from pinned Go modules.

`devcluster.cluster` is the Python interface, `devcluster.testing` the pytest plugin and
`devcluster.__main__` the command line.
"""
