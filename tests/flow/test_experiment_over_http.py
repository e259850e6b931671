"""A whole experiment through HTTP: a true effect is found, and where there is none, none is."""

from datetime import UTC, date, datetime

import pytest

from backend.marketplace.driving.effects import NONE, Effects
from backend.marketplace.driving.experimenting import begin, simulate_days
from backend.marketplace.driving.visiting import Plan
from backend.marketplace.loading.load import load_world
from backend.marketplace.models import Developer
from backend.marketplace.simulation.simulate import simulate
from backend.marketplace.simulation.world import Scale
from recommender_app.experiments import lifecycle
from recommender_app.models import Assignment, FeedbackEvent, RequestLog
from tests.flow.http_site import OverHttp

pytestmark = [pytest.mark.django_db(transaction=True, reset_sequences=True), pytest.mark.slow, pytest.mark.timeout(600)]
FIRST, DAYS, USERS = date(2026, 11, 2), 7, 300


@pytest.fixture
def developers(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {}}
    scale = Scale(n_startups=120, n_developers=USERS, n_investors=2, n_days=3)
    end = datetime(2026, 11, 1, tzinfo=UTC)
    load_world(simulate(scale, 1), scale, 1, end=end, password="x", replace=False, advance=lambda _: None)
    return list(Developer.objects.order_by("pk"))


@pytest.mark.parametrize(("effect", "visits_per_day", "found"), [(Effects(click=1.6), 1.0, True), (NONE, 0.3, False)])
def test_what_is_true_is_what_is_found(developers, live_server, effect, visits_per_day, found):
    experiment, effects = begin("http", "a_a", FIRST, DAYS, USERS, effect)
    site = OverHttp(live_server.url, developers)
    done = simulate_days(experiment, site, developers, Plan(FIRST, DAYS, effects, 5, visits_per_day), lambda _: None)
    last = done.snapshots[-1]
    assert (last.verdict == "winner") is found, last.sentence
    assert len(done.snapshots) == DAYS
    assert all(check["severity"] == "green" for check in last.health if check["blocks"]), last.health
    assert RequestLog.objects.filter(experiment="http").count() == done.n_visits
    assert (
        Assignment.objects.count()
        == last.results["arms"]["control"]["exposed"] + last.results["arms"]["same"]["exposed"]
    )
    assert FeedbackEvent.objects.filter(event="click").exists()
    lifecycle.stop(experiment, "over", "test")
