"""A second release of the measured site: ``publish`` copies what is live into it, ``switch`` puts the other live."""

# ruff: noqa: E402  Django is set up before its models are imported

import django

django.setup()

import sys

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.folder import read_dataset
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.releases import live_release, promote_all, roll_back
from recommender_app.registry.runs import start_run
from recommender_app.training.publishing import publish
from recommender_app.usecases.site import get_use_case


def publish_copies() -> None:
    """Publish what is live once more, as the next version of each engine, and put all of it live as one release."""
    dataset = read_dataset(next((settings.artifact_root / "datasets" / "books").iterdir()))
    promote_all([_copy(member.engine, member.version.name, dataset) for member in _members()], by="benchmark")


def switch() -> None:
    """Put the newest release live, or the one before it if that is live already."""
    newest, before = Release.objects.filter(use_case="books").order_by("-number")[:2]
    roll_back("books", to=before.number if live_release("books") == newest else newest.number, by="benchmark")


def _members() -> list:
    return list(live_release("books").members.select_related("version"))


def _copy(engine: str, name: str, dataset) -> ModelVersion:
    opened = ArtifactStore(settings.artifact_root).open("books", engine, name)
    run = start_run(get_use_case("books").key, engine, config={}, seed=0, requested_by="benchmark")
    return publish(run, opened.engine, dataset, {})


if __name__ == "__main__":
    {"publish": publish_copies, "switch": switch}[sys.argv[1]]()
