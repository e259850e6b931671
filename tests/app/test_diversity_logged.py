"""How varied an answered list was: the offline definition, without a query, in log, roll-ups and metrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset.features import Features
from recommender_app.evaluation.variety import diversity, unit_terms
from recommender_app.measurement.days import day_of
from recommender_app.measurement.metrics import metrics_of
from recommender_app.models import RequestLog
from recommender_app.serving.service import recommend
from recommender_app.serving.similar import similar_items
from recommender_app.serving.variety import mean_distance
from tests.app import library
from tests.app.measured import roll_up

TERMS = st.lists(st.sets(st.sampled_from("abcd"), max_size=3), min_size=1, max_size=6)


def test_two_alike_and_one_other():
    assert mean_distance([{"sea"}, {"sea"}, {"tea"}]) == pytest.approx(2 / 3)
    assert mean_distance([{"sea"}, {"tea"}]) == 1
    assert mean_distance([{"sea"}, {"sea"}, set()]) == pytest.approx(0)
    assert mean_distance([{"sea"}, set()]) is None


@given(TERMS)
def test_it_is_what_offline_evaluation_computes(terms):
    features = Features([""] * len(terms), [tuple(each) for each in terms], np.empty((len(terms), 0), np.float32), ())
    (expected,) = diversity(np.arange(len(terms), dtype=np.int32)[None], unit_terms(features))
    assert mean_distance(terms) == (None if np.isnan(expected) else pytest.approx(expected))


@pytest.fixture
def reader(db):
    library.add_shelves(2)
    return library.add_reader()


def test_without_a_content_engine_fields_of_the_items_tell(reader):
    answer = recommend(reader, "books", 4)
    genres = [{result.item.genre} for result in answer.results]
    assert answer.diversity == pytest.approx(mean_distance(genres))
    assert RequestLog.objects.get().diversity == answer.diversity


def test_similar_items_have_theirs(reader):
    book = recommend(reader, "books", 1, log=False).results[0].item
    answer = similar_items(reader, "books", book.pk, 3)
    assert answer.diversity == pytest.approx(mean_distance([{result.item.genre} for result in answer.results]))


def test_one_item_says_nothing(reader):
    assert recommend(reader, "books", 1).diversity is None


def test_from_the_answer_to_the_metrics(reader):
    answer = recommend(reader, "books", 4)
    today = day_of(RequestLog.objects.get().created_at)
    roll_up(today)
    found = metrics_of("books", today, today, "engine")
    assert found.total.rates["mean_diversity"].value == pytest.approx(answer.diversity)
