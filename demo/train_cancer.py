"""Train a StandardScaler + RandomForest pipeline on scikit-learn's breast_cancer.

Writes cancer.skops, and cancer-train.csv and cancer-test.csv with the label column `diagnosis`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import skops.io
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def train(folder: Path) -> None:
    """Train, and write the model and both data files to `folder`."""
    data = load_breast_cancer()
    diagnosis = data.target_names[data.target]
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, diagnosis, test_size=0.3, random_state=0, stratify=diagnosis
    )
    model = make_pipeline(StandardScaler(), RandomForestClassifier(100, random_state=0))
    model.fit(train_x, train_y)
    skops.io.dump(model, folder / "cancer.skops")
    write_csv(folder / "cancer-train.csv", data.feature_names, train_x, train_y)
    write_csv(folder / "cancer-test.csv", data.feature_names, test_x, test_y)
    accuracy = model.score(test_x, test_y)
    print(f"cancer: {len(model[-1])} trees, {accuracy:.2%} on {len(test_y)} test rows")


def write_csv(path: Path, names: Any, rows: Any, labels: Any) -> None:
    """One line a row, the label last."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, "diagnosis"])
        writer.writerows([*row, label] for row, label in zip(rows.tolist(), labels, strict=True))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
