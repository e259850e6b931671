"""Export, train, measure and promote what is not there yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recommender_app.registry.releases import live_release
from recommender_app.trainers.base import Progress
from recommender_app.training.export import export_dataset
from recommender_app.training.run import train_model
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import get_use_case

QUICK = ("popular", "trending", "als", "content_based", "ensemble")  # seconds
WITH_TWO_TOWER = ("popular", "trending", "als", "content_based", "two_tower", "ensemble")  # for the four groups
ALL = ("popular", "trending", "als", "content_based", "item_graph", "two_tower", "ensemble")


def learn(key: str, engines: Sequence[str], write: Callable[[str], None], progress: Progress) -> Path:
    """Train and promote each engine that has not learned from the newest dataset; return its folder."""
    use_case = get_use_case(key)
    exported = export_dataset(use_case, progress=progress)
    fingerprint = exported.manifest["fingerprint"]
    write(f"{key}: dataset {fingerprint[:12]} {'reused' if exported.is_reused else 'written'}")
    for engine in engines:
        if _is_live(key, engine, fingerprint):
            write(f"{key}: {engine} is live and has learned from this dataset")
            continue
        write(f"{key}: {_train(use_case, engine, exported.path, progress)}")
    return exported.path


def _train(use_case: UseCase, engine: str, dataset: Path, progress: Progress) -> str:
    """Train one engine and promote it if the gate lets it through, as in production."""
    trained = train_model(use_case, engine, dataset_path=dataset, promote=True, by="demo", progress=progress)
    name, verdict = trained.version.name, trained.verdict
    if verdict.passed:
        return f"{name} trained, passed the gate and promoted"
    return f"{name} trained and not promoted; the gate says {verdict.outcome}: {verdict.reason}"


def _is_live(key: str, engine: str, fingerprint: str) -> bool:
    release = live_release(key)
    if release is None:
        return False
    return release.members.filter(engine=engine, version__dataset_fingerprint=fingerprint).exists()
