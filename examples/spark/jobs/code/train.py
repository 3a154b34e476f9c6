"""Train with the depth that was best, on all readings, and keep the model."""

import json
import os
import pickle

from sklearn.ensemble import RandomForestRegressor
from table import read_table

table = read_table(os.environ["TABLE"]).sort_values(["station", "day", "hour"])
model = RandomForestRegressor(max_depth=int(os.environ["DEPTH"]), random_state=7)
model.fit(table[["hour", "temperature", "clouds"]], table["power"])
# Files in outputs/ go to spec.outputs.uri when the code has ended.
with open("outputs/model.pickle", "wb") as file:
    pickle.dump(model, file)
print(f"trained on {len(table)} readings")
print(json.dumps({"ocijobs.io/results": {"readings": len(table)}}))
