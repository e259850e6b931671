"""Training runs: asked for, one at a time per engine of a use case, held by a lease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.database import atomic
from recommender_app.registry.leases import expired_runs, lease_end, next_token, renew_lease, still_running
from recommender_app.registry.pauses import pause_end, resting
from recommender_app.registry.verdicts import reject_version

__all__ = ["renew_lease", "still_running"]

MAX_ATTEMPTS = 3  # a run that kills its process each time is given up
LEASE_EXPIRED = "Its process gave no sign of life any more."
WATCHDOG = "watchdog"  # who turns down what the dead have left
ABANDONED = "The process that trained it died before it was promoted."
REQUESTED, RUNNING = TrainingRun.Status.REQUESTED, TrainingRun.Status.RUNNING


def request_run(
    use_case_key: str, engine: str, *, requested_by: str, slot: str = "", is_news: bool = False
) -> TrainingRun | None:
    """Ask for a training, which a worker will begin; asking twice is asking once.

    Args:
        slot: the scheduled time it stands for, such as ``2026-W48``; "" = now, because somebody wants it.
        is_news: there is something to learn that a training which is running already does not know of.

    Returns:
        The new run, or the one that is waiting or running already; None where the slot has had
        its run, however that ended.
    """
    runs = TrainingRun.objects.filter(use_case=use_case_key, engine=engine)
    active = (REQUESTED,) if is_news else (REQUESTED, RUNNING)
    runs = runs.filter(slot=slot) if slot else runs.filter(status__in=active)
    existing = runs.first()
    if existing is None:
        try:
            with atomic():
                asked = TrainingRun(use_case=use_case_key, engine=engine, requested_by=requested_by, slot=slot)
                asked.requested_at = Now()
                asked.save()
            asked.refresh_from_db()
        except IntegrityError:  # another scheduler was faster
            existing = runs.first()
        else:
            return asked
    return existing if existing and existing.status in (REQUESTED, RUNNING) else None


def begin_requested_run(use_case_key: str, engine: str, *, requested_by: str) -> TrainingRun:
    """Ask for a training and claim it: unlike one of ``start_run`` it is asked for again if its process dies.

    One that rests is woken: there is news for it.

    Raises:
        RegistryError: the engine is being trained, and the lease of that run holds.
    """
    with atomic():  # nobody else sees it wait
        run = request_run(use_case_key, engine, requested_by=requested_by)
        if run is None or run.status != REQUESTED or not claim_run(run, wakes=True):
            raise RegistryError(_already_running(use_case_key, engine))
    return run


def companions(run: TrainingRun) -> QuerySet[TrainingRun]:
    """Return the waiting runs of the same use case and slot that nobody has tried yet, oldest first.

    One that killed its process before is trained alone: it takes nothing else along.
    """
    of_slot = requested_runs().filter(use_case=run.use_case, slot=run.slot, attempts=0)
    return of_slot if run.slot and run.attempts == 1 else of_slot.none()


def requested_runs() -> QuerySet[TrainingRun]:
    """Return the runs that wait for a worker, oldest first."""
    return TrainingRun.objects.filter(status=REQUESTED).order_by("pk")


def claim_run(run: TrainingRun, *, wakes: bool = False) -> bool:
    """Begin a requested run: RUNNING, with a new token and a lease. Only one of many callers gets True.

    False as well while another run of the engine lives or the run rests (it stays requested), and
    where one that began after the request has succeeded since: the run then ends as SKIPPED, what
    it was to learn is known. When it began stays said where it has published already: what comes is its end.

    Args:
        wakes: also one that rests until its next attempt.
    """
    try:
        with atomic():
            rescue_expired_runs(use_case=run.use_case, engine=run.engine)
            waiting = requested_runs().filter(pk=run.pk)
            waiting = waiting if wakes else waiting.exclude(resting())
            is_ours = not _skip_if_overtaken(run) and waiting.update(
                status=RUNNING,
                reason="",
                token=next_token(run.use_case, run.engine),
                attempts=F("attempts") + 1,
                started_at=F("started_at") if _has_published(run) else Now(),
                finished_at=None,
                lease_until=lease_end(),
            )
    except IntegrityError:  # the one running run of the engine is another
        is_ours = False
    run.refresh_from_db()
    return bool(is_ours)


def start_run(
    use_case_key: str, engine: str, *, config: Mapping[str, Any], seed: int, requested_by: str
) -> TrainingRun:
    """Insert a RUNNING run; the unique constraint on running runs is the lock.

    A running run past its lease loses its place first: should it wake up after all, it can no
    longer register a version.

    Raises:
        RegistryError: the engine is being trained, and the lease of that run holds.
    """
    try:
        with atomic():
            rescue_expired_runs(use_case=use_case_key, engine=engine)
            run = TrainingRun.objects.create(
                use_case=use_case_key,
                engine=engine,
                status=RUNNING,
                requested_by=requested_by,
                config=dict(config),
                seed=seed,
                attempts=1,
                started_at=Now(),
                lease_until=lease_end(),
                token=next_token(use_case_key, engine),
            )
    except IntegrityError:
        raise RegistryError(_already_running(use_case_key, engine)) from None
    run.refresh_from_db()
    return run


def record_config(run: TrainingRun, config: Mapping[str, Any], seed: int) -> None:
    """Note how a claimed run is trained."""
    run.config, run.seed = dict(config), seed
    still_running(run).update(config=run.config, seed=seed)


def record_dataset(run: TrainingRun, fingerprint: str) -> None:
    """Note what a run learns from."""
    run.dataset_fingerprint = fingerprint
    still_running(run).update(dataset_fingerprint=fingerprint)


def finish_run(run: TrainingRun, status: str, reason: str = "") -> bool:
    """End a run; False if it was taken over: its row then tells how it ended already."""
    reason = " ".join(reason.split())
    is_ours = still_running(run).update(status=status, reason=reason, finished_at=Now(), lease_until=None)
    run.refresh_from_db()
    return bool(is_ours)


def give_back_run(run: TrainingRun, reason: str, *, rests: bool = False) -> bool:
    """Ask for a run again that could not be ended, MAX_ATTEMPTS times in all; return whether it was ours.

    The attempt counts also where the process was told to stop: Celery ends a training past its
    hard limit with the same signal.

    Args:
        rests: what is in the way may pass; the next attempt comes after a pause.
    """
    reason, ours = " ".join(reason.split()), still_running(run)
    failed = TrainingRun.Status.FAILED
    is_ours = ours.filter(attempts__gte=MAX_ATTEMPTS).update(
        status=failed, reason=reason, finished_at=Now(), lease_until=None
    ) or ours.update(
        status=REQUESTED,
        reason=reason,
        finished_at=Now() if rests else None,
        lease_until=pause_end(run.attempts) if rests else None,
    )
    run.refresh_from_db()
    return bool(is_ours)


def rescue_expired_runs(**of: Any) -> int:
    """Take runs from processes that give no sign of life, of one engine or of all; return how many.

    What was asked for is asked for again, MAX_ATTEMPTS times in all. What a command had begun
    fails: whoever typed it has seen it die. What such a run has published and nobody has decided
    on is turned down.
    """
    is_last = Q(requested_at=None) | Q(attempts__gte=MAX_ATTEMPTS)
    expired = expired_runs(**of)
    with atomic():
        n_failed = expired.filter(is_last).update(
            status=TrainingRun.Status.FAILED, reason=LEASE_EXPIRED, finished_at=Now(), lease_until=None
        )
        _settle_abandoned(**of)
    return n_failed + expired.exclude(is_last).update(status=REQUESTED, reason=LEASE_EXPIRED, lease_until=None)


def _settle_abandoned(**of: Any) -> None:
    """Turn down the candidates of runs that died; their folders go as those of others do."""
    died = {"training_run__status": TrainingRun.Status.FAILED, "training_run__reason": LEASE_EXPIRED}
    for version in ModelVersion.objects.filter(**of, **died, status=ModelVersion.Status.CANDIDATE, gone_at=None):
        reject_version(version, ABANDONED, by=WATCHDOG)


def _skip_if_overtaken(run: TrainingRun) -> bool:
    """End a waiting run that another one, begun after it was asked for, has made needless."""
    skipped, succeeded = TrainingRun.Status.SKIPPED, TrainingRun.Status.SUCCEEDED
    others = TrainingRun.objects.filter(use_case=run.use_case, engine=run.engine, status=succeeded).exclude(pk=run.pk)
    newer = others.filter(requested_at__isnull=False, started_at__gte=run.requested_at).first()
    if newer is None or (_has_published(run) and not _has_published(newer, status=ModelVersion.Status.READY)):
        return False  # what it has published may still go live
    reason = f"Run {newer.pk}, which began after this one was asked for, has trained it."
    waiting = TrainingRun.objects.filter(pk=run.pk, status=REQUESTED)
    waiting.update(status=skipped, reason=reason, finished_at=Now(), lease_until=None)
    return True


def _has_published(run: TrainingRun, **as_it_is: str) -> bool:
    return ModelVersion.objects.filter(training_run=run, gone_at=None, **as_it_is).exists()


def _already_running(use_case_key: str, engine: str) -> str:
    run = TrainingRun.objects.filter(use_case=use_case_key, engine=engine, status=RUNNING).first()
    if run is None:  # it has ended in between
        return f"{engine} of {use_case_key} was being trained by somebody else: try again."
    return (
        f"{engine} of {use_case_key} is being trained already: run {run.pk} of {run.requested_by or 'somebody'}, "
        f"started {run.started_at:%Y-%m-%d %H:%M} UTC. Wait until it ends; if its process is dead, its lease ends "
        f"at {run.lease_until:%H:%M:%S} UTC."
    )
