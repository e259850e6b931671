"""An experiment on sessions through the API: who never logs in and who does each count once, in their arm."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from recommender_app.experiments.exposures import mark_exposed
from recommender_app.experiments.metrics import METRICS
from recommender_app.measurement.actions import active_users
from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.measurement.days import Day, day_of
from recommender_app.measurement.intervals import totals_of
from recommender_app.measurement.readouts.gathering import gather
from recommender_app.measurement.readouts.sums import arm_rows, sums_of
from recommender_app.models import RequestLog
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor
from tests.app.logins import log_in
from tests.app.measured import roll_up
from tests.experiments.making import hashed_arm, make_phase
from tests.toyhost.recommendations import BooksForReaders

URL = "/api/recommendations/books/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def phase(monkeypatch):
    monkeypatch.setattr(BooksForReaders, "allow_anonymous", True)
    monkeypatch.setattr(BooksForReaders, "allow_anonymous_lists", True)
    return make_phase(unit_type="session")


def visit(phase, arm, n_clicks):
    """Return a client in an arm: its second list, of two items, is the first that counts; clicks are on that."""
    client = Client()
    for _ in range(50):  # until the hash of a session says so
        client.cookies.clear()
        client.get(URL, {"limit": 2})
        if hashed_arm(phase, session_of(client.cookies[COOKIE].value), "session") == arm:
            break
    click(client, client.get(URL, {"limit": 2}).json(), n_clicks)
    return client


def click(client, answer, n):
    events = [
        {"event_id": str(uuid.uuid4()), "item": each["id"], "event": "click", "request_id": answer["request_id"]}
        for each in answer["results"][:n]
    ]
    if events:
        assert client.post(URL + "events/", events, content_type="application/json").status_code == 201


def ctr(phase):
    """Return {arm: sums of clicks of impressions} of today."""
    today = day_of(timezone.now())
    roll_up(today)
    return {arm: sums_of(arm_rows(phase, today).filter(arm=arm), [METRICS["ctr"]])["ctr"] for arm in ("control", "b")}


def test_clicks_and_lists_of_visitors_are_their_arms(phase):
    for arm, n_clicks in [("control", 0), ("control", 1), ("b", 1), ("b", 2)]:
        visit(phase, arm, n_clicks)
    assert ctr(phase) == {"control": totals_of([(0, 2), (1, 2)]), "b": totals_of([(1, 2), (2, 2)])}


def test_a_visitor_who_clicked_is_no_onlooker(phase):
    visit(phase, "b", 0)
    clicked = visit(phase, "b", 1).cookies[COOKIE].value
    today = Day(day_of(timezone.now()))
    active = active_users(get_use_case("books"), today.start, today.end, today.end)
    assert active == {Visitor(session_of(clicked)).pk}


@pytest.mark.parametrize("is_rolled_up_before", [False, True])
def test_who_logs_in_keeps_the_arm_and_is_counted_once(phase, is_rolled_up_before):
    visit(phase, "b", 1)
    client = visit(phase, "b", 2)
    if is_rolled_up_before:
        ctr(phase)
    ann = log_in(client, "ann")
    click(client, client.get(URL, {"limit": 2}).json(), 1)
    assert RequestLog.objects.filter(user_id=str(ann.pk), arm="b").count() == 2
    assert ctr(phase)["b"] == totals_of([(1, 2), (3, 4)])
    mark_exposed(phase)
    in_b = next(arm for arm in gather(phase, day_of(timezone.now())).arms if arm.key == "b")
    assert (in_b.assigned, in_b.exposed, in_b.excluded) == (2, 2, 0)
