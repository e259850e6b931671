"""A treatment whose engine fails for some units is compared as it was assigned, and health says so."""

import pytest

from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.models import RollUp
from tests.app.measured import DAY
from tests.experiments.phases import two_arms
from tests.experiments.populated import populate

pytestmark = pytest.mark.django_db
FAILED = r"[147]$"  # three of ten units of the treatment


def test_requirement_6_what_is_found_is_the_effect_of_being_assigned_not_of_being_served():
    """As served, b has 2 clicks of 10 against 1; as assigned, three of ten of its units have control's 1."""
    phase = two_arms(min_days=1)
    populate(phase, clicks={"control": (1, 1, 1), "b": (2, 2, 2)})
    of_b = RollUp.objects.filter(arm="b", user_id__regex=FAILED)
    share = of_b.count() / RollUp.objects.filter(arm="b").count()
    of_b.update(clicks=1, fallbacks=1, engine="popular", model_version="popular_v1")
    snapshot = take_snapshot(phase, DAY)
    health = {each["check"]: each for each in snapshot.health}
    assert (health["sample_ratio"]["severity"], health["exposure"]["severity"]) == ("green", "green")
    assert health["fallbacks"]["severity"] == "red"
    assert health["fallbacks"]["p"] < 0.001
    found = snapshot.results["primary"][0]["always_valid"]
    assert found["difference"] == pytest.approx(0.1 * (1 - share))
    assert snapshot.verdict == "winner"
