"""Puts a copy of every live artifact live as the next version: a new release. Run while the site is under load."""

# ruff: noqa: E402  Django is set up before its models are imported

import django

django.setup()

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.folder import read_dataset
from recommender_app.registry.releases import live_release, promote
from recommender_app.registry.runs import start_run
from recommender_app.training.publishing import publish
from recommender_app.usecases.site import get_use_case

if __name__ == "__main__":
    use_case = get_use_case("books")
    store = ArtifactStore(settings.artifact_root)
    dataset = read_dataset(next((settings.artifact_root / "datasets" / "books").iterdir()))
    for member in list(live_release("books").members.all()):
        opened = store.open("books", member.engine, member.version.name)
        run = start_run("books", member.engine, config={}, seed=0, requested_by="benchmark")
        promote(publish(run, opened.engine, dataset, {}), by="benchmark")
