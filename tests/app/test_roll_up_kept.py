"""What a day's roll-ups keep, and what not, when rows of the log go."""

import pytest

from recommender_app.exceptions import MeasurementError
from recommender_app.measurement import roll_up as rolling
from recommender_app.measurement.writing import insert_rows
from recommender_app.models import RequestLog, RollUp
from recommender_app.privacy import forget_user, forgetting
from recommender_app.serving.log_retention import trim_log
from tests.app import library
from tests.app.measured import answer, at, roll_up

pytestmark = pytest.mark.django_db


def only() -> RollUp:
    return RollUp.objects.get()


def stored() -> list[dict]:
    return list(RollUp.objects.order_by("user_id").values())


def test_a_day_whose_log_is_gone_keeps_its_roll_ups():
    answer("ann", "tea")
    roll_up()
    trim_log(days=0.1, not_beyond=at(24))
    with pytest.raises(MeasurementError, match="no longer holds"):
        roll_up()
    assert only().requests == 1
    answer("bob", "tea", hours=-1)  # drained late: a day is not replaced by what is left of it
    with pytest.raises(MeasurementError, match="no longer holds"):
        roll_up()
    assert only().user_id == "ann"


def test_a_day_whose_oldest_answer_was_forgotten_is_rolled_up_again():
    answer("ann", "tea", hours=-1)
    answer("bob", "tea")
    roll_up()
    RequestLog.objects.earliest("pk").delete()
    roll_up()
    assert only().user_id == "bob"


def test_a_day_that_is_trimmed_while_it_is_rolled_up_stays_as_it_was(monkeypatch):
    answer("ann", "tea")
    roll_up()
    before = stored()

    def insert_after_a_trim(model, rows):
        trim_log(days=0.1, not_beyond=at(24))
        insert_rows(model, rows)

    monkeypatch.setattr(rolling, "insert_rows", insert_after_a_trim)
    with pytest.raises(MeasurementError, match="no longer holds"):
        roll_up()
    assert stored() == before


def test_whoever_is_forgotten_while_a_day_is_rolled_up_is_not_in_it(monkeypatch, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.01}
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0)
    ann, bob = library.add_reader(), library.add_reader("bob")
    answer(ann, "tea")
    answer(bob, "tea")

    def insert_after_forgetting(model, rows):  # what was read before the deletion is written after it
        forget_user("books", ann.pk, keep_interactions=True)
        insert_rows(model, rows)

    monkeypatch.setattr(rolling, "insert_rows", insert_after_forgetting)
    roll_up()
    assert only().user_id == str(bob.pk)
