"""Numbers of days and factors that arithmetic cannot carry: refused where they are written, clamped where they used."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.rules import Boost, Quota
from tests.app import library
from tests.toyhost.recommendations import BooksForReaders


@pytest.mark.parametrize("days", [-1, 36_501, 1_000_000, float("inf"), float("nan"), 10**400])
def test_a_rule_about_ages_beyond_a_hundred_years_is_refused_in_one_line(days):
    with pytest.raises(ConfigurationError, match="up to 36500"):
        Quota(new_within_days=days, count=1)


@pytest.mark.parametrize("factor", [1, 1001, float("inf"), float("nan"), 10**400])
def test_a_boost_without_measure_is_refused_in_one_line(factor):
    with pytest.raises(ConfigurationError, match="above 1, up to 1000"):
        Boost(where={"genre": "tea"}, factor=factor)


@pytest.mark.django_db
@pytest.mark.parametrize("rearranging", [{"exploration": 0.3}, {"fatigue_after": 1}])
def test_settings_of_too_many_days_count_as_a_hundred_years(settings, tmp_path, rearranging):
    days = {"NEW_ITEM_DAYS": 10**6, "FATIGUE_DAYS": 10**12}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), **days}
    books, reader = library.add_shelves(3), library.add_reader()
    library.read(reader, books[0], "view")
    engine = override_engine("books", FixedEngine([book.pk for book in books]))
    with engine, forced_policy("books", Policy("test", ((0, "fixed"),), **rearranging)):
        assert len(recommend(reader, "books", 3).results) == 3
        seen_again = library.titles(recommend(reader, "books", 6).results)
    if rearranging == {"fatigue_after": 1}:  # the three that were shown sink
        assert set(seen_again[3:]) == {"tea-0", "tea-1", "tea-2"}


@pytest.mark.django_db
def test_an_interaction_before_the_calendar_of_fatigue_is_harmless(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path)}
    books, reader = library.add_shelves(3), library.add_reader()
    met = library.read(reader, books[0], "view")
    met.at = timezone.now() - timedelta(days=365 * 2000)
    met.save()
    engine = override_engine("books", FixedEngine([book.pk for book in books]))
    with engine, forced_policy("books", Policy("test", ((0, "fixed"),), fatigue_after=1)):
        assert len(recommend(reader, "books", 3).results) == 3


@pytest.mark.django_db
def test_a_quota_of_a_hundred_years_means_all_books(settings, tmp_path, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path)}
    monkeypatch.setattr(BooksForReaders, "rules", (Quota(new_within_days=36_500, count=10),))
    books = library.add_shelves(3)
    with override_engine("books", FixedEngine([book.pk for book in books])):
        assert len(recommend(library.add_reader(), "books", 3).results) == 3
