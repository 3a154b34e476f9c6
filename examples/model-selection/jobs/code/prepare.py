"""Prepare the data once, for all that comes after: a part to learn from, and a part to judge by."""

import json
import os

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

data = load_breast_cancer()
parts = train_test_split(
    data.data, data.target, test_size=0.3, random_state=7, stratify=data.target
)
names = ("train_x", "test_x", "train_y", "test_y")

# Files in outputs/ go to spec.outputs.uri when the code has ended; others find them by this result.
np.savez("outputs/data.npz", **dict(zip(names, parts, strict=True)))
folder = "oci://{BUCKET}@{NAMESPACE}/model-selection/{JOB_RUN_OCID}".format_map(os.environ)
print(f"{len(parts[0])} samples to learn from, {len(parts[1])} to judge by")
print(json.dumps({"ocijobs.io/results": {"data": f"{folder}/data.npz"}}))
