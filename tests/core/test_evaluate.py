"""Evaluation ranks like serving does, hides what it should, and says how it measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender_app.dataset.splits import Split, random_split
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.evaluation import evaluate as evaluation_module
from recommender_app.evaluation.evaluate import evaluate
from recommender_app.evaluation.report import metric_table, text_table
from recommender_app.exceptions import ConfigurationError, EngineError
from tests.core.toys import N_ITEMS, N_USERS, dataset_of, hidden_item, item_features, table, two_tastes
from tests.core.trained import trained


def falling(n_items: int = N_ITEMS) -> PopularityEngine:
    """Recommend 0, 1, 2, ... to everybody."""
    return PopularityEngine(np.arange(n_items, 0, -1, dtype=np.float32))


def toy_split() -> Split:
    """Hold out each user's hidden item."""
    test = table([(user, hidden_item(user)) for user in range(N_USERS)])
    return Split(two_tastes(), test, "toy", "the hidden item held out")


def test_a_taste_engine_finds_every_hidden_item() -> None:
    measured = evaluate({"als": trained("als")}, toy_split(), ks=(1,)).engines["als"]
    assert measured["precision@1"] == measured["recall@1"] == measured["ndcg@1"] == measured["mrr@1"] == 1


def test_every_metric_is_there_at_every_k() -> None:
    evaluation = evaluate({"falling": falling()}, toy_split())
    names = ("precision", "recall", "ndcg", "map", "mrr", "hit_rate", "coverage", "diversity", "novelty", "popularity")
    assert set(evaluation.engines["falling"]) == {f"{name}@{k}" for name in names for k in (5, 10, 20)}
    for name, values in evaluation.per_user["falling"].items():
        assert values.shape == (N_USERS,)
        assert evaluation.engines["falling"][name] == pytest.approx(values.mean())
    assert "the hidden item held out" in evaluation.protocol
    assert "12 users" in evaluation.protocol


def test_what_was_seen_is_hidden_unless_told_otherwise() -> None:
    """User 0 has seen items 1 and 2 of three and will take item 0 or, with dislikes, see nothing else."""
    train = dataset_of(table([(0, 0)], [(0, 1)]), 1, 4)
    split = Split(train, table([(0, 2)]), "toy", "toy")
    ranks = {
        hide: evaluate({"a": falling(4)}, split, ks=(4,), hide=hide).engines["a"]["mrr@4"]
        for hide in ("seen", "nothing", ("dislike",), ("like",))
    }
    assert ranks == {"seen": 1, "nothing": pytest.approx(1 / 3), ("dislike",): 1 / 2, ("like",): 1 / 2}


def test_users_without_history_are_measured_only_on_demand() -> None:
    train = dataset_of(table([(0, 0)], [(1, 1)]), 3, 4)
    split = Split(train, table([(0, 2), (1, 2), (2, 2)]), "toy", "toy")
    assert evaluate({"a": falling(4)}, split).user_rows.tolist() == [0]
    assert evaluate({"a": falling(4)}, split, min_history=0).user_rows.tolist() == [0, 1, 2]


def test_an_engine_without_opinion_finds_nothing_but_counts() -> None:
    train = dataset_of(table([(0, 0), (1, 1), (1, 0)]), 3, N_ITEMS)
    split = Split(train, table([(2, 0)]), "toy", "toy")
    measured = evaluate({"als": trained("als")}, split, ks=(5,), min_history=0).engines["als"]
    assert measured["precision@5"] == measured["coverage@5"] == 0
    assert np.isnan(measured["novelty@5"])


def test_small_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    split = random_split(two_tastes(), 0.2, seed=1)
    whole = evaluate({"als": trained("als")}, split)
    monkeypatch.setattr(evaluation_module, "SCORES_PER_CHUNK", 2 * N_ITEMS)
    chunked = evaluate({"als": trained("als")}, split)
    for name, values in whole.per_user["als"].items():
        np.testing.assert_allclose(chunked.per_user["als"][name], values)


def test_a_sample_of_users_follows_its_seed() -> None:
    first, again, other = (
        evaluate({"a": falling()}, toy_split(), max_users=4, seed=seed).user_rows.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) == 4
    assert first == sorted(first)


def test_nobody_to_measure_gives_unknown_numbers_not_an_error() -> None:
    split = Split(two_tastes(), table([]), "toy", "toy")
    evaluation = evaluate({"falling": falling()}, split)
    assert evaluation.n_users == 0
    assert np.isnan(evaluation.engines["falling"]["precision@10"])
    assert "-" in metric_table(evaluation).splitlines()[2]


def test_an_engine_of_another_catalogue_is_refused() -> None:
    with pytest.raises(EngineError, match="stranger knows 3 items"):
        evaluate({"stranger": falling(3)}, toy_split())


@pytest.mark.parametrize("wrong", [{"ks": ()}, {"ks": (0,)}, {"hide": "everything"}])
def test_a_protocol_without_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ConfigurationError):
        evaluate({"a": falling()}, toy_split(), **wrong)


def test_progress_is_told_by_engine() -> None:
    reports: list[tuple] = []
    evaluate({"a": falling(), "b": falling()}, toy_split(), progress=lambda *given: reports.append(given))
    assert reports == [(N_USERS, N_USERS, "a"), (N_USERS, N_USERS, "b")]


def test_diversity_uses_the_features_of_the_items() -> None:
    split = toy_split()
    measured = evaluate({"a": falling()}, split, ks=(5,), hide="nothing").engines["a"]
    assert measured["diversity@5"] == pytest.approx(0), "the first five items are all red"
    bare = replace(split, train=replace(split.train, item_features=type(item_features()).empty(N_ITEMS)))
    assert np.isnan(evaluate({"a": falling()}, bare, ks=(5,)).engines["a"]["diversity@5"])


def test_a_table_has_engines_as_rows_and_the_protocol_below() -> None:
    lines = metric_table(evaluate({"als": trained("als")}, toy_split(), ks=(1,)), ("precision@1", "map@7")).splitlines()
    assert lines[0].split() == ["engine", "precision@1", "map@7"]
    assert lines[2].split() == ["als", "1.0000", "-"]
    assert lines[3].startswith("(the hidden item held out")


def test_table_columns_are_aligned() -> None:
    assert text_table(["name", "n"], [["a", "10"], ["longer", "5"]]) == "\n".join(
        ["name     n", "------  --", "a       10", "longer   5"]
    )
