"""Training runs and versions: one run at a time, and only its owner registers."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.runs import finish_run, record_dataset, renew_lease
from recommender_app.registry.versions import find_version, next_number
from tests.app.registered import register, start

pytestmark = pytest.mark.django_db
SUCCEEDED, FAILED = TrainingRun.Status.SUCCEEDED, TrainingRun.Status.FAILED


def let_lease_expire(run):
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_second_run_of_an_engine_is_refused_while_the_first_one_lives():
    first = start()
    with pytest.raises(RegistryError, match=f"popular of books is being trained already: run {first.pk} of test"):
        start()
    assert TrainingRun.objects.count() == 1
    start("trending")
    finish_run(first, SUCCEEDED)
    assert start().status == "running"


def test_a_run_past_its_lease_is_failed_and_replaced():
    first = start()
    let_lease_expire(first)
    second = start()
    first.refresh_from_db()
    assert (first.status, first.reason) == ("failed", "Its process gave no sign of life any more.")
    assert first.finished_at is not None
    assert second.token > first.token


def test_a_lease_that_is_renewed_holds():
    run = start()
    let_lease_expire(run)
    assert renew_lease(run)
    with pytest.raises(RegistryError, match="being trained already"):
        start()


def test_a_run_that_wakes_up_after_its_lease_changes_nothing_any_more():
    asleep = start()
    let_lease_expire(asleep)
    start()
    assert not renew_lease(asleep)
    record_dataset(asleep, "abc")
    with pytest.raises(RegistryError, match="was given up before it ended"):
        register(asleep, 1)
    assert not finish_run(asleep, SUCCEEDED)
    assert (asleep.status, asleep.dataset_fingerprint) == ("failed", "")
    assert not ModelVersion.objects.exists()


def test_a_finished_run_keeps_one_line_of_reason():
    run = start()
    assert finish_run(run, FAILED, "It\n   broke.")
    assert (run.status, run.reason, run.lease_until) == ("failed", "It broke.", None)
    assert run.finished_at >= run.started_at


def test_the_database_itself_refuses_a_second_running_run():
    start()
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingRun.objects.create(use_case="books", engine="popular", status="running")


def test_numbers_go_on_after_rows_and_after_folders_without_a_row():
    assert next_number("books", "popular") == 1
    register(start(), 4)
    assert next_number("books", "popular") == 5
    assert next_number("books", "popular", ["popular_v7", "als_v90", "popular_v", "notes"]) == 8
    assert next_number("movies", "popular") == 1


def test_a_number_is_registered_once():
    run = start()
    register(run, 1)
    with pytest.raises(RegistryError, match="popular_v1 is registered already"):
        register(run, 1)


def test_a_version_is_found_by_its_name_and_use_case():
    version = register(start(), 1, metrics={"note": "none"})
    assert find_version("books", "popular_v1") == version
    assert version.status == "candidate"
    for name in ("popular_v2", "popular", "popular_v01", "popular_v1'", "", "../popular_v1", "popular_v" + "9" * 30):
        with pytest.raises(RegistryError, match="newest are popular_v1"):
            find_version("books", name)
    with pytest.raises(RegistryError, match="none is registered yet"):
        find_version("movies", "popular_v1")
