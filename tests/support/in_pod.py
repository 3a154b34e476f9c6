"""`python -m`'s stand-in for a pod: the operator finds the API server and its token where a pod has them.

`python -m tests.support.in_pod FOLDER HOST PORT run ...` is `python -m ocijobs run ...` in a pod whose service account
is in FOLDER.
"""

import os
import runpy
import sys

from ocijobs.kube import package  # noqa: F401 - puts the parts in place

if __name__ == "__main__":
    from kubernetes.aio.config import incluster_config

    folder, host, port = sys.argv[1:4]
    del sys.argv[1:4]
    incluster_config.SERVICE_TOKEN_FILENAME = f"{folder}/token"
    incluster_config.SERVICE_CERT_FILENAME = f"{folder}/ca.crt"
    del os.environ["KUBECONFIG"]
    os.environ |= {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    runpy.run_module("ocijobs", run_name="__main__", alter_sys=True)
