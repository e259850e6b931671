"""However a run ends, its row says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recommender_app.exceptions import NotEnoughData, RecommenderError
from recommender_app.models import TrainingRun
from recommender_app.registry.runs import finish_run
from recommender_app.training.heartbeat import beating


@contextmanager
def recorded(run: TrainingRun) -> Iterator[None]:
    """Keep the run's lease during the block; end the run as SKIPPED or FAILED if the block raises."""
    try:
        with beating(run):
            yield
    except NotEnoughData as error:
        finish_run(run, TrainingRun.Status.SKIPPED, str(error))
        raise
    except RecommenderError as error:
        finish_run(run, TrainingRun.Status.FAILED, str(error))
        raise
    except BaseException as error:  # an interrupt or a mistake of ours: recorded, and left to the caller
        finish_run(run, TrainingRun.Status.FAILED, f"{type(error).__name__}: {error}")
        raise
