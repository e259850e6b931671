"""Trainings that were asked for: by the schedule, or by somebody in the admin."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from recommender_app.conf import settings
from recommender_app.exceptions import TrainingError
from recommender_app.models import TrainingRun
from recommender_app.registry.database import current_time
from recommender_app.registry.queue import mark_sent, unmark_sent, unsent_runs
from recommender_app.registry.runs import claim_run, companions, request_run
from recommender_app.schedule import slot_of
from recommender_app.trainers.base import Progress, silent
from recommender_app.training.lifecycle import retrain
from recommender_app.training.recording import RecordedRun
from recommender_app.training.summary import Ending
from recommender_app.training.trainers import trainer_keys
from recommender_app.usecases.site import all_use_cases, get_use_case

SCHEDULER = "schedule"  # who asked


def request_due_runs() -> int:
    """Ask for every training whose slot has begun and had no run yet; return how many are new.

    Only the slot of now counts: what was missed while nothing ran is not made up for. The clock
    is the database's, in UTC.
    """
    now = current_time()
    due = {(engine, slot_of(period, now)) for engine, period in settings.TRAINING_SCHEDULE.items()}
    wanted = {(use_case.key, *pair) for use_case in all_use_cases() for pair in due if pair[0] in trainer_keys()}
    slots = {slot for _, _, slot in wanted}
    known = set(TrainingRun.objects.filter(slot__in=slots).values_list("use_case", "engine", "slot"))
    missing = sorted(wanted - known)
    return sum(
        request_run(use_case, engine, requested_by=SCHEDULER, slot=slot) is not None
        for use_case, engine, slot in missing
    )


def send_runs(send: Callable[[TrainingRun], None]) -> int:
    """Send a message for every waiting run that has none on its way; return how many were sent.

    Args:
        send: what it raises ends the loop; the run it was about is sent the next time.
    """
    n_sent = 0
    for run in unsent_runs():
        if mark_sent(run):
            with ExitStack() as undo:
                undo.callback(unmark_sent, run)  # whatever sending raises: the run is not on its way
                send(run)
                undo.pop_all()
            n_sent += 1
    return n_sent


def perform_run(run_id: int, progress: Progress = silent) -> str | None:
    """Train what a run asks for, if nobody else does; return one line on how it ended, None if there was nothing to do.

    The runs of its slot are carried out with it: one export, one hold-out, one new fit of the
    ensemble and one release for what is trained daily.

    Raises:
        RecommenderError: one of them, or the ensemble that was fitted again, failed; the rows say why as well.
    """
    run = TrainingRun.objects.filter(pk=run_id).first()
    if run is None or not claim_run(run):
        return None
    with ExitStack() as leases:
        leases.enter_context(RecordedRun(run))
        runs = [run, *_claimed_companions(run, leases)]
        summary = retrain(get_use_case(run.use_case), [], by=run.requested_by, runs=runs, progress=progress)
    failures = summary.reasons(Ending.FAILED)
    if failures:
        raise TrainingError(f"run {run.pk}: {'; '.join(failures)}")
    endings = ", ".join(f"{each.engine} {each.ending} {each.reason}".rstrip() for each in summary.results)
    return f"run {run.pk}: {run.use_case} {endings}"


def _claimed_companions(run: TrainingRun, leases: ExitStack) -> list[TrainingRun]:
    claimed = []
    for other in companions(run):
        if claim_run(other):
            leases.enter_context(RecordedRun(other, is_companion=True))
            claimed.append(other)
    return claimed
