"""A request of an eligible user gets an arm, the arm's policy serves it, and its row in the log says so."""

import pytest

from recommender_app.models import Assignment, RequestLog
from recommender_app.serving.service import recommend
from recommender_app.serving.spool.draining import drain
from tests.app import library
from tests.experiments.making import make_phase, readers

pytestmark = pytest.mark.django_db

POPULAR = {"routes": [[0, "popular"]]}


@pytest.fixture(autouse=True)
def books(settings, tmp_path):
    """Twelve books, ALS and the popular ones live, every count routed to ALS."""
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path / "root"),
        "SPOOL_DIR": tmp_path / "spool",
        "COLD_START_THRESHOLD": 0,
        "WARM_USER_THRESHOLD": 100,
    }
    books = library.add_shelves(6)
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    return books


def logged():
    """Return [(experiment, phase, arm, engine, policy)] of the log, oldest first."""
    return list(RequestLog.objects.order_by("pk").values_list("experiment", "phase", "arm", "engine", "policy"))


def test_the_arm_serves_and_is_in_the_row_of_the_answer(books):
    phase = make_phase({"control": {}, "b": POPULAR})
    control, treated = (next(readers(phase, arm, likes=(books[0],))) for arm in ("control", "b"))
    for reader in (control, treated, treated):
        recommend(reader, "books", 2)
    assert logged() == [
        ("e", 1, "control", "als", "default"),
        ("e", 1, "b", "popular", "arm"),
        ("e", 1, "b", "popular", "arm"),
    ]
    assert sorted(Assignment.objects.values_list("unit_id", "arm__key")) == sorted(
        [(str(control.pk), "control"), (str(treated.pk), "b")]
    )


def test_the_row_from_the_spool_names_the_arm_too(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_WRITER": "spool"}
    phase = make_phase({"control": {}, "b": POPULAR})
    recommend(next(readers(phase, "b", likes=(books[0],))), "books", 2)
    assert logged() == []
    drain()
    assert logged() == [("e", 1, "b", "popular", "arm")]


def test_who_is_not_enrolled_is_served_by_the_policy_in_force(books):
    phase = make_phase({"control": {}, "b": POPULAR}, enrol_bp=0)
    answer = recommend(next(readers(phase, "b", likes=(books[0],))), "books", 2)
    assert (answer.engine, answer.arm) == ("als", "")
    assert logged() == [(None, None, None, "als", "default")]
    assert Assignment.objects.count() == 0
