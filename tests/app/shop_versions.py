"""The versions that a small library's models come in: what the serving state machine promotes."""

from uuid import UUID

import numpy as np

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.engines.popularity import PopularityEngine
from tests.core.fixed_towers import two_tower_of
from tests.core.toys import N_ITEMS
from tests.core.trained import trained

TRAINED = [UUID(int=number * 10) for number in range(N_ITEMS)]  # what the engines learned from
LATER = [UUID(int=number * 10 + 5) for number in range(6)]  # what they never met
VERSIONS = {"popular": 2, "als": 2, "content_based": 2, "item_knn": 1, "two_tower": 1, "ensemble": 1}
MEMBERS = {"als": 0.6, "two_tower": 0.3, "popular": 0.1}  # of the ensemble; it serves with those that are live


def engine_of(key):
    """Return an engine of the toy's items: trained, but for the towers, which nobody has to wait for."""
    if key == "ensemble":
        return EnsembleEngine(MEMBERS, N_ITEMS)
    if key == "two_tower":
        vectors = np.random.default_rng(1).standard_normal((N_ITEMS, 4))
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return two_tower_of(unit, np.zeros(N_ITEMS, dtype=np.float32))
    return trained(key)


def publish_versions():
    """Write the artifacts that the machine promotes: trained ones, and one of items that are mostly gone."""
    store, known = ArtifactStore(app_settings.artifact_root), IdMap.from_values(TRAINED)
    for engine, n_versions in VERSIONS.items():
        for number in range(1, n_versions + 1):
            store.publish("books", f"{engine}_v{number}", engine_of(engine), known)
    ghosts = IdMap.from_values([*TRAINED[3:6], *[UUID(int=number) for number in range(1, 9)], LATER[0]])
    ranking = np.arange(len(ghosts), dtype=np.float32)
    store.publish("books", f"popular_v{VERSIONS['popular'] + 1}", PopularityEngine(ranking), ghosts)
