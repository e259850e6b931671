"""Lists for many users at once, for e-mail digests: what ``recommend`` would answer each of them outside experiments.

Everything is read and scored for a chunk of users together; routing, eligibility and order are
those of a single request, by the same code. Nothing is logged: nobody has been shown anything yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.exceptions import RecommenderError, RegistryError
from recommender_app.registry.live import live_release
from recommender_app.serving import live
from recommender_app.serving.answer import Answer
from recommender_app.serving.batch_scoring import BatchPipeline, look_up_together, score_together
from recommender_app.serving.forgotten import is_forgotten
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.policies import policy_for
from recommender_app.serving.query import Query, checked_limit
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.router import Policy
from recommender_app.serving.service import answered, profile_of
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.histories import hidden_ids_of, load_histories
from recommender_app.usecases.history import History
from recommender_app.usecases.profiles import load_features, user_fields

NAMESPACE = UUID("6d1f4a52-9e0b-4c53-8f6c-2f1f0c9a7b31")  # of the ids of lists


@dataclass(frozen=True)
class Batch:
    """What all lists of one run share: a release that goes live meanwhile waits for the next run.

    Attributes:
        use_case: whose lists.
        limit: places per list.
        policy: that routes.
        release: that answers; None where nothing is live.
        seed: of exploration: same seed, same data, same lists, however the users are sharded.
    """

    use_case: UseCase
    limit: int
    policy: Policy
    release: LoadedRelease | None
    seed: int = 0

    def request_id(self, user: Any) -> UUID:
        """Return the id that a user's list has instead of a request's."""
        return uuid5(NAMESPACE, json.dumps([self.seed, self.use_case.key, str(user.pk)]))


def begin_batch(use_case: UseCase, limit: int | None = None, seed: int | None = None) -> Batch:
    """Return a batch with the policy and the release of this moment.

    Args:
        limit: LIMIT_DEFAULT if None.
        seed: the setting SEED if None.

    Raises:
        ValueError: the limit is out of range.
        RegistryError: what is live could not be read or loaded just now; a request would be
            answered with the newest items then, a digest can wait.
    """
    limit = checked_limit(limit)
    policy = policy_for(use_case.key)
    release = live.current(use_case.key, policy)
    if release is None and live_release(use_case.key) is not None:
        raise RegistryError(f"The live release of {use_case.key} could not be loaded: see the log, then try again.")
    return Batch(use_case, limit, policy, release, settings.SEED if seed is None else seed)


def lists_of(batch: Batch, users: Sequence[Any]) -> Iterator[tuple[Any, Answer]]:
    """Yield (user, answer) for a chunk of users, in their order; none for those who are forgotten.

    Queries: a constant number for the chunk, and one per user for eligibility, unless the use
    case declares ``items_are_shared``; more for users whose lists need topping up.
    """
    users = [user for user in users if not is_forgotten(batch.use_case, user.pk)]
    histories = load_histories(batch.use_case, [user.pk for user in users], settings.HISTORY_LIMIT)
    pipelines = _pipelines(batch, users, histories) if batch.release else {}
    score_together(list(pipelines.values()), batch.policy)
    if batch.use_case.items_are_shared:
        look_up_together(list(pipelines.values()))
    for user in users:
        query, pipeline = Query(batch.use_case, user, batch.limit), pipelines.get(user.pk)
        blank = Answer(batch.request_id(user), batch.use_case.key, str(user.pk), batch.limit, policy=batch.policy.name)
        blank = replace(blank, interaction_count=histories[user.pk].interaction_count)
        yield user, answered(blank, query, batch.policy, pipeline)


def _pipelines(batch: Batch, users: Sequence[Any], histories: Mapping[Any, History]) -> dict[Any, BatchPipeline]:
    assert batch.release
    hidden = hidden_ids_of(batch.use_case, [user.pk for user in users])
    profiles = _profiles(batch.use_case, users)
    found = {}
    for place, user in enumerate(users):
        profile = profiles[place]
        request = ServingRequest(batch.release.catalogue, histories[user.pk], profile, tuple(hidden[user.pk]))
        found[user.pk] = BatchPipeline(
            Query(batch.use_case, user, batch.limit), batch.request_id(user), request, batch.release
        )
    return found


def _profiles(use_case: UseCase, users: Sequence[Any]) -> list[Features | None]:
    """Return the features of each user, read together; where one of them cannot be read, one by one."""
    try:
        together = load_features(user_fields(use_case), [user.pk for user in users])
    except RecommenderError:
        return [profile_of(use_case, user) for user in users]
    return [together.rows(place, place + 1) for place in range(len(users))]
