"""Large catalogues get an approximate index with their version."""

from __future__ import annotations

import logging

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.base import Engine
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.exceptions import IndexRefused
from recommender_app.trainers.index import BuiltIndex, build_index

logger = logging.getLogger(__name__)


def index_for(engine: Engine, dataset: Dataset, seed: int) -> BuiltIndex | None:
    """Return an index over the engine's items, None where scoring them all is as fast or nothing else is right.

    An engine without an index is a slower one, not a worse one: what stands in the way is a warning.
    """
    if not isinstance(engine, IndexedEngine) or engine.n_items < settings.INDEX_MIN_ITEMS:
        return None
    try:
        built = build_index(engine, dataset, seed, settings.INDEX_RECALL)
    except IndexRefused as error:
        logger.warning("%s is published without an index: %s", engine.key, error)
    except ImportError:
        advice = "pip install 'django-recommender-app[index]'"
        logger.warning(
            "%s is published without an index, its %d items need one: %s", engine.key, engine.n_items, advice
        )
    else:
        logger.info("%s has an index of %d items: %s", engine.key, engine.n_items, built.details())
        return built
    return None
