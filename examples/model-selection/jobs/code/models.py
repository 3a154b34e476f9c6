"""The model classes to choose from, each with the parameters that are tried."""

from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "logistic": (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        {"logisticregression__C": [0.01, 0.1, 1.0]},
    ),
    "forest": (
        RandomForestClassifier(random_state=7),
        {"n_estimators": [50, 150], "max_depth": [4, 8]},
    ),
    "boosting": (
        GradientBoostingClassifier(random_state=7),
        {"n_estimators": [50, 100], "learning_rate": [0.05, 0.2]},
    ),
}
