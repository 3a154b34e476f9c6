"""Find the best parameters of one model class, which an environment variable names."""

import json
import os

from models import MODELS
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from store import read_arrays

name = os.environ["MODEL"]
data = read_arrays(os.environ["DATA"])
model, grid = MODELS[name]
search = GridSearchCV(model, grid, scoring="roc_auc", cv=3)
search.fit(data["train_x"], data["train_y"])

auc = roc_auc_score(data["test_y"], search.predict_proba(data["test_x"])[:, 1])
print(f"{name}: {search.best_params_} has an area under the curve of {auc:.4f}")
print(json.dumps({"ocijobs.io/results": {"auc": round(auc, 4), "params": search.best_params_}}))
