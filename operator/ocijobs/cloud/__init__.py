"""OCI: the only code that imports its SDK. It sends what was decided and tells what came of it."""
