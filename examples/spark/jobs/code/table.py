"""A table that Spark wrote as CSV, read as the job run itself: its resource principal needs the right to read it."""

import io

import oci
import pandas as pd


def read_table(address: str) -> pd.DataFrame:
    """Return the table at oci://bucket@namespace/folder: Spark writes it as several files."""
    bucket, _, rest = address.removeprefix("oci://").partition("@")
    namespace, _, folder = rest.partition("/")
    signer = oci.auth.signers.get_resource_principals_signer()
    storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
    found = storage.list_objects(namespace, bucket, prefix=f"{folder}/part-").data.objects
    parts = [storage.get_object(namespace, bucket, each.name).data.content for each in found]
    return pd.concat([pd.read_csv(io.BytesIO(part)) for part in parts], ignore_index=True)
