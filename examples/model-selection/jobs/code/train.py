"""Train the best model class, with its best parameters, on all of the data."""

import json
import os
import pickle

import numpy as np
from models import MODELS
from store import read_arrays

data = read_arrays(os.environ["DATA"])
features = np.concatenate([data["train_x"], data["test_x"]])
labels = np.concatenate([data["train_y"], data["test_y"]])

model, _ = MODELS[os.environ["MODEL"]]
model.set_params(**json.loads(os.environ["PARAMS"]))
model.fit(features, labels)
with open("outputs/model.pickle", "wb") as file:
    pickle.dump(model, file)
print(f"trained {os.environ['MODEL']} on {len(labels)} samples: {os.environ['PARAMS']}")
print(json.dumps({"ocijobs.io/results": {"model": os.environ["MODEL"], "samples": len(labels)}}))
