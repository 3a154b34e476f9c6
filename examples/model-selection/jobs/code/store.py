"""Files in Object Storage, read as the job run itself: its resource principal needs the right to read them."""

import io

import numpy as np
import oci


def read_arrays(address: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file at oci://bucket@namespace/name."""
    bucket, _, rest = address.removeprefix("oci://").partition("@")
    namespace, _, name = rest.partition("/")
    signer = oci.auth.signers.get_resource_principals_signer()
    storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
    content = storage.get_object(namespace, bucket, name).data.content
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)
