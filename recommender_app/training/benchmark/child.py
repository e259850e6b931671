"""The process of one engine: load, train, rank, measure; started by ``job.run_job``.

Memory is the peak of this whole process: interpreter, libraries, data, model and ranking. On Linux
it is read from ``VmHWM``, because ``getrusage`` would inherit the parent's size; elsewhere from
``getrusage``.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import django
import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.folder import read_dataset
from recommender_app.dataset.splits import Split
from recommender_app.dataset.tables import read_interactions
from recommender_app.engines.base import Engine
from recommender_app.evaluation.evaluate import Evaluation, evaluate
from recommender_app.exceptions import RecommenderError
from recommender_app.trainers.base import Trainer


def main(out: Path) -> None:
    """Do the job of a folder, and write the answer beside it."""
    job = json.loads((out / "job.json").read_text(encoding="utf-8"))
    try:
        answer = _work(out, job)
    except RecommenderError as error:
        _say({"error": str(error), "kind": type(error).__name__})
        return
    (out / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    _say({"finished": True})


def _work(out: Path, job: dict[str, Any]) -> dict[str, Any]:
    data = Path(job["data"])
    train = read_dataset(data / "dataset")
    trainer = _trainer(job["trainer"])
    started = perf_counter()
    engine = trainer.train(train, trainer.Config.from_json(job["config"]), job["seed"], _progress)
    train_seconds = perf_counter() - started
    test = read_interactions(data / "test.parquet", train.interactions.event_names)
    split = Split(train, test, "benchmark", job["description"])
    measured, n_ranked, seconds = {}, 0, 0.0
    for number, name in enumerate(job["candidates"]):
        evaluation = _measure(engine, split, job, _candidates(data, number))
        measured[name] = _write(out, number, evaluation)
        n_ranked, seconds = n_ranked + evaluation.n_users, seconds + evaluation.seconds["engine"]
    speed = n_ranked / seconds if n_ranked and seconds else None
    return {
        "train_seconds": train_seconds,
        "peak_mb": peak_memory_mb(),
        "users_per_second": speed,
        "measured": measured,
    }


def _measure(engine: Engine, split: Split, job: dict[str, Any], among: NDArray[np.int32] | None) -> Evaluation:
    def report(done: int, total: int, _engine: str) -> None:
        _progress(done, total, "ranking")

    return evaluate({"engine": engine}, split, job["ks"], min_history=job["min_history"], among=among, progress=report)


def _write(out: Path, number: int, evaluation: Evaluation) -> dict[str, Any]:
    values = evaluation.per_user["engine"]
    for place, array in enumerate(values.values()):
        np.save(out / f"{number}_{place}.npy", array, allow_pickle=False)
    np.save(out / f"{number}_users.npy", evaluation.user_rows, allow_pickle=False)
    means = {name: None if np.isnan(value) else value for name, value in evaluation.engines["engine"].items()}
    return {"protocol": evaluation.protocol, "metrics": list(values), "means": means}


def _candidates(data: Path, number: int) -> NDArray[np.int32] | None:
    path = data / f"candidates_{number}.npy"
    return np.load(path, allow_pickle=False) if path.is_file() else None


def _trainer(dotted_path: str) -> Trainer:
    module, _, name = dotted_path.rpartition(".")
    if not module.startswith("recommender_app."):  # ours need no Django; the host's may
        django.setup()
    trainer: Trainer = getattr(import_module(module), name)()
    return trainer


def _progress(done: int, total: int, label: str) -> None:
    _say({"done": done, "total": total, "label": label})


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def peak_memory_mb() -> float | None:
    """Return the largest resident memory of this process so far in MB (10^6 bytes), None if unknown."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    main(Path(sys.argv[1]))
