"""One engine in a process of its own: what it is asked, and what it answers. Files and JSON, no pickles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.folder import write_dataset
from recommender_app.dataset.tables import write_interactions
from recommender_app.exceptions import NotEnoughData, TrainingError
from recommender_app.trainers.base import Progress
from recommender_app.training.benchmark.folder import BenchmarkData

CHILD = "recommender_app.training.benchmark.child"
DATASET, TEST_PART = "dataset", "test.parquet"


@dataclass(frozen=True)
class Answer:
    """What a child measured.

    Attributes:
        train_seconds: wall time of the trainer.
        peak_mb: largest resident memory of the whole process in MB (10^6 bytes); None where the
            system does not say.
        users_per_second: users ranked per second; NaN for none.
        measured: {candidates' name: {"protocol", "user_rows", "means", "per_user"}}.
    """

    train_seconds: float
    peak_mb: float | None
    users_per_second: float
    measured: dict[str, dict[str, Any]]


@contextmanager
def data_folder(data: BenchmarkData) -> Iterator[Path]:
    """Yield a temporary folder that holds the data for the children."""
    with tempfile.TemporaryDirectory(prefix="recommender_benchmark_") as name:
        folder = Path(name)
        write_dataset(data.split.train, folder / DATASET)
        write_interactions(folder / TEST_PART, data.split.test)
        for number, rows in enumerate(data.candidates.values()):
            if rows is not None:
                np.save(folder / f"candidates_{number}.npy", rows, allow_pickle=False)
        yield folder


def run_job(folder: Path, job: Mapping[str, Any], progress: Progress) -> Answer:
    """Run one engine's job in a fresh Python process and return its answer.

    Raises:
        NotEnoughData: the engine cannot learn from these data.
        TrainingError: it failed, or was killed.
    """
    out = Path(tempfile.mkdtemp(dir=folder))
    (out / "job.json").write_text(json.dumps({**job, "data": str(folder)}), encoding="utf-8")
    last = _follow(out, progress)
    if last.get("kind") == NotEnoughData.__name__:
        raise NotEnoughData(last["error"])
    if "error" in last:
        raise TrainingError(last["error"])
    return _read_answer(out)


def _follow(out: Path, progress: Progress) -> dict[str, Any]:
    """Start the child, pass its progress on, and return its last word."""
    paths = os.pathsep.join(path for path in sys.path if path)
    last: dict[str, Any] = {"error": "It ended without a word."}
    with (out / "errors.txt").open("w+", encoding="utf-8") as errors:
        child = subprocess.Popen(  # noqa: S603 our own module, by name
            [sys.executable, "-m", CHILD, str(out)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if line.startswith("{"):
                    last = json.loads(line)
                    if "label" in last:
                        progress(last["done"], last["total"], last["label"])
            code = child.wait()
        finally:
            child.kill()
            child.wait()
        return {"error": _why(code, errors)} if code else last


def _why(code: int, errors: Any) -> str:
    if code < 0:
        return f"Its process was killed by signal {-code}: probably out of memory."
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return f"Its process failed: {lines[-1][:300] if lines else f'exit code {code}'}"


def _read_answer(out: Path) -> Answer:
    values = json.loads((out / "answer.json").read_text(encoding="utf-8"))
    for number, measured in enumerate(values["measured"].values()):
        arrays: dict[str, NDArray[Any]] = {
            metric: np.load(out / f"{number}_{place}.npy", allow_pickle=False)
            for place, metric in enumerate(measured["metrics"])
        }
        measured["per_user"] = arrays
        measured["user_rows"] = np.load(out / f"{number}_users.npy", allow_pickle=False)
    seconds = values["users_per_second"]
    return Answer(
        values["train_seconds"], values["peak_mb"], float("nan") if seconds is None else seconds, values["measured"]
    )
