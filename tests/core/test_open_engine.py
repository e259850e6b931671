"""``open_engine(path).recommend(...)``: a trained engine in two lines, without Django."""

import subprocess
import sys
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recommender_app
from recommender_app.artifacts.opening import OpenedArtifact, Recommendation, open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.engines.popularity import TrendingEngine
from recommender_app.exceptions import EngineError
from tests.core.artifact_toys import ROOT, publish_popular, two_tastes


@pytest.fixture(scope="module")
def tastes(tmp_path_factory) -> OpenedArtifact:
    """Items 1, 2, 3 are sweet, items 4, 5, 6 salty."""
    return open_engine(ArtifactStore(tmp_path_factory.mktemp("als")).publish("films", "als_v1", *two_tastes()))


def ids(found: list[Recommendation]) -> list:
    return [item.id for item in found]


def test_it_is_reachable_from_the_package():
    assert recommender_app.open_engine is open_engine


def test_the_best_come_first_with_ranks_from_one(tmp_path):
    found = open_engine(str(publish_popular(tmp_path))).recommend(k=3)

    assert found == [Recommendation(50, 5.0, 1), Recommendation(40, 4.0, 2), Recommendation(30, 3.0, 3)]


def test_who_likes_sweet_gets_sweet(tastes):
    assert ids(tastes.recommend([1], k=2)) == [2, 3]
    assert ids(tastes.recommend({5: 2.0}, k=2)) == [4, 6]


def test_a_dislike_is_no_recommendation_and_does_not_come_back(tastes):
    found = ids(tastes.recommend({1: 1.0, 2: -1.0}, k=10))

    assert found[0] == 3
    assert 2 not in found


def test_unknown_ids_and_ids_of_another_kind_are_ignored(tastes):
    assert tastes.recommend([1, 99, "1", None, 2**70, UUID(int=1)], exclude=["3", 77]) == tastes.recommend([1])


def test_who_is_unknown_to_a_history_engine_gets_nothing(tastes):
    assert tastes.recommend([]) == tastes.recommend([99]) == tastes.recommend({1: 0.0}) == []


def test_history_and_exclusions_never_come_back(tmp_path):
    opened = open_engine(publish_popular(tmp_path))

    assert ids(opened.recommend([50], k=10, exclude=iter([40, 10]))) == [30, 20]
    assert opened.recommend(k=10, exclude=[10, 20, 30, 40, 50]) == []
    assert ids(opened.recommend({50: 0.0}, k=1)) == [40]


def test_items_without_an_opinion_do_not_appear(tmp_path):
    engine = TrendingEngine(np.array([0, 2, 0], dtype=np.float32), window_days=7.0)
    path = ArtifactStore(tmp_path).publish("films", "trending_v1", engine, IdMap("int", np.array([1, 2, 3])))

    assert ids(open_engine(path).recommend(k=10)) == [2]


@pytest.mark.parametrize(("history", "k"), [([1], -1), ({1: float("nan")}, 3), ({1: float("inf")}, 3)])
def test_nonsense_is_refused_in_one_line(tastes, history, k):
    with pytest.raises(EngineError, match="finite"):
        tastes.recommend(history, k=k)


def test_an_ensemble_says_that_it_needs_its_members(tmp_path):
    engine = EnsembleEngine({"als": 0.6, "two_tower": 0.4}, 3)
    path = ArtifactStore(tmp_path).publish("films", "ensemble_v1", engine, IdMap("int", np.array([1, 2, 3])))

    with pytest.raises(EngineError, match=r"An ensemble needs its members: open one of them \(als, two_tower\)"):
        open_engine(path).recommend([1])


def test_a_profile_is_accepted_by_an_engine_without_use_for_it(tastes):
    assert tastes.recommend([1], profile_text="sweet", profile_terms=["taste=sweet"]) == tastes.recommend([1])


@given(
    history=st.dictionaries(st.integers(0, 9), st.floats(-5, 5, width=32)),
    exclude=st.lists(st.integers(0, 9)),
    k=st.integers(0, 9),
)
def test_whatever_is_asked_the_list_is_sound(tastes, history, exclude, k):
    found = tastes.recommend(history, k=k, exclude=exclude)

    assert len(found) <= k
    assert len(set(ids(found))) == len(found)
    assert set(ids(found)) <= set(range(1, 7)) - set(history) - set(exclude)
    assert [item.rank for item in found] == list(range(1, len(found) + 1))
    scores = [item.score for item in found]
    assert all(np.isfinite(scores))
    assert scores == sorted(scores, reverse=True)


def test_numpy_and_scipy_are_enough(tmp_path):
    path = ArtifactStore(tmp_path).publish("films", "als_v1", *two_tastes())
    program = (
        "import sys\n"
        "from recommender_app.artifacts.opening import open_engine\n"
        f"print([item.id for item in open_engine({str(path)!r}).recommend([1], k=2)])\n"
        "heavy = {'django', 'rest_framework', 'torch', 'implicit', 'sklearn', 'pyarrow', 'pandas', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)), 'scipy.stats' in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.stdout.splitlines() == ["[2, 3]", "[] False"], done.stderr
