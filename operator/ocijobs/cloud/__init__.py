"""OCI: the only package that imports its SDK. It sends what was decided, and returns OCI's answers."""
