"""A real Kubernetes control plane on loopback, built from pinned Go modules.

`kubecontrolplane.cluster` is the Python interface, `kubecontrolplane.testing` the pytest plugin and
`kubecontrolplane.__main__` the command line.
"""
