"""What the hand that promotes does with an experiment on the books: arm "b" does without the popular ones."""

from __future__ import annotations

KEY = "without-popular"


def begin() -> dict:
    """Start an experiment whose arm "b" has all readers that there are."""
    from recommender_app.experiments import lifecycle

    arms = [{"key": "control", "is_control": True, "weight_bp": 1}]
    arms += [{"key": "b", "weight_bp": 9_999, "policy": {"disabled": ["popular"]}}]
    steps = [{"after_days": 0, "enrol_bp": 10_000}]
    experiment = lifecycle.create_experiment(KEY, "books", "test", arms=arms, ramp_steps=steps)
    return _start(experiment)


def begin_again() -> dict:
    """Start a further phase of it."""
    from recommender_app.experiments import lifecycle

    lifecycle.new_phase(_experiment(), "test")
    return _start(_experiment())


def stop() -> dict:
    """Stop it."""
    from recommender_app.experiments import lifecycle

    return {"phase": lifecycle.stop(_experiment(), "over", "test").number}


def conclude() -> dict:
    """End it and write the policy of arm "b" for everybody."""
    from recommender_app.experiments import lifecycle

    return {"winner": lifecycle.conclude(_experiment(), "b", "test", write_policy=True).winner}


def arms(*request_ids: str) -> dict:
    """Return {request id: the arm that its row of the log names}."""
    from recommender_app.models import RequestLog

    rows = RequestLog.objects.filter(request_id__in=request_ids)
    return {str(request_id): arm for request_id, arm in rows.values_list("request_id", "arm")}


def _start(experiment) -> dict:
    from recommender_app.experiments import lifecycle

    experiment.phases.filter(started_at__isnull=True).update(arm_salt=_salt())
    return {"phase": lifecycle.start(experiment, "test").number}


def _experiment():
    from recommender_app.models import Experiment

    return Experiment.objects.get(key=KEY)


def _salt() -> str:
    """Return a salt that puts no reader into the control arm, which has the first of ten thousand places."""
    from recommender_app.experiments.hashing import bucket
    from tests.toyhost.models import Reader

    readers = [str(pk) for pk in Reader.objects.values_list("pk", flat=True)]
    return next(salt for salt in ("one", "two", "three") if all(bucket(salt, "user", pk) for pk in readers))
