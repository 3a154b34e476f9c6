"""Try one depth of the trees, which an environment variable has, and report the error."""

import json
import os

from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import cross_val_score
from table import read_table

depth = int(os.environ["DEPTH"])
table = read_table(os.environ["TABLE"]).sort_values(["station", "day", "hour"])
model = RandomForestRegressor(max_depth=depth, n_estimators=50, random_state=7)
features, power = table[["hour", "temperature", "clouds"]], table["power"]
scores = cross_val_score(model, features, power, scoring="neg_mean_absolute_error", cv=3)

error = -scores.mean()
print(f"depth {depth}: {error:.3f} kW off on average, of {len(table)} readings")
print(json.dumps({"ocijobs.io/results": {"error": round(error, 4)}}))
