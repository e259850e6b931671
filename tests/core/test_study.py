"""A whole study of the toy: groups, curves, sentences, tables, the page."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from recommender_app.dataset.splits import Split
from recommender_app.evaluation import plots
from recommender_app.evaluation.findings import findings, winner
from recommender_app.evaluation.page import page
from recommender_app.evaluation.study import study
from recommender_app.evaluation.study_tables import study_json, study_text
from tests.core.toys import N_USERS, hidden_item, table, two_tastes
from tests.core.trained import trained

ENGINES = ("popular", "item_knn", "als")


@pytest.fixture(scope="module")
def toy_study():
    test = table([(user, hidden_item(user)) for user in range(N_USERS)])
    split = Split(two_tastes(), test, "toy", "the hidden item held out")
    left_out = {"two_tower": "No <b>bold</b> reason."}
    return study({key: trained(key) for key in ENGINES}, split, thresholds=(5, 20), seed=1, left_out=left_out)


def test_groups_shortened_histories_and_all_users_are_measured(toy_study):
    assert toy_study.overall.n_users == N_USERS
    assert {name: group.n_users for name, group in toy_study.cohorts.items()} == {"warm (5-19)": N_USERS}
    assert list(toy_study.shortened) == ["no history", "newest 3", "newest 10"]
    assert toy_study.shortened["no history"].engines["als"]["ndcg@10"] == 0
    assert toy_study.shortened["newest 10"].engines == toy_study.overall.engines


def test_the_curve_agrees_with_the_metrics(toy_study):
    for engine, curve in toy_study.curves.items():
        for k in (5, 10, 20):
            measured = toy_study.overall.engines[engine]
            assert curve.precision[k - 1] == pytest.approx(measured[f"precision@{k}"])
            assert curve.recall[k - 1] == pytest.approx(measured[f"recall@{k}"])


def test_shares_of_the_long_tail_add_up_to_one(toy_study):
    for shares in (toy_study.tail.interactions, *toy_study.tail.engines.values()):
        assert shares.sum() == pytest.approx(1)
    assert toy_study.tail.interactions[0] == pytest.approx(5 / 60), "the untouched item and the first of twelve equals"


def test_the_summary_names_the_best_and_what_cannot_be_told_apart(toy_study):
    sentences = findings(toy_study)
    assert winner(toy_study.overall) == "item_knn"
    assert sentences[0].startswith(
        "Item neighbours makes the best lists, though ALS cannot be told apart from it: of 10"
    )
    assert "1.0 are things" in sentences[0]
    assert "Measured on 12 users" in sentences[-1]


def test_the_summary_says_when_the_ensemble_is_worse(toy_study):
    overall = toy_study.overall
    worse = {**overall.per_user, "ensemble": {name: v * 0 for name, v in overall.per_user["als"].items()}}
    means = {**overall.engines, "ensemble": dict.fromkeys(overall.engines["als"], 0.0)}
    changed = replace(toy_study, overall=replace(overall, per_user=worse, engines=means))
    assert any("worse than its best part" in sentence for sentence in findings(changed))
    assert winner(changed.overall) != "ensemble"


def test_the_text_has_a_table_for_everything(toy_study):
    text = study_text(toy_study)
    for wanted in ("precision@10", "against the best single engine", "warm (5-19)", "no history", "two_tower left out"):
        assert wanted in text
    assert f"({toy_study.overall.protocol})" in text


def test_the_json_is_json_without_nan(toy_study):
    written = json.loads(json.dumps(study_json(toy_study), allow_nan=False))
    als = written["intervals"]["als"]["ndcg@10"]
    assert als["low"] <= written["engines"]["als"]["ndcg@10"] <= als["high"]
    assert written["intervals"]["popular"]["ndcg@10"]["difference"]["high"] < 0
    assert len(written["precision_recall"]["als"]["recall"]) == 20


def test_the_page_is_self_contained_escaped_and_the_same_twice(toy_study):
    html = page(toy_study, "Books & <more>")
    assert "Books &amp; &lt;more&gt;" in html
    assert "<b>bold</b>" not in html
    assert "<script" not in html
    addresses = set(re.findall(r'(?:href|src)="([^"]+)"', html))
    assert all(address.startswith("#") for address in addresses), "nothing is loaded from elsewhere"
    assert html.count("<svg") == 5
    assert page(toy_study, "Books & <more>") == html


def test_every_plot_is_a_picture(toy_study):
    order = plots.ranking(toy_study.overall, "ndcg@10")
    for drawn in (
        plots.bars(toy_study.overall, {"ndcg@10": "NDCG"}, 0),
        plots.dots(toy_study.cohorts, "ndcg@10", 0),
        plots.precision_recall(toy_study.curves, order),
        plots.histories(toy_study.shortened, "ndcg@10", order),
        plots.long_tail(toy_study.tail, order),
    ):
        assert ET.fromstring(drawn.replace("xlink:", "")).tag.endswith("svg")
    assert order[-1] == "popular"


def test_nobody_to_measure_is_said_on_the_page_too():
    nobody = study({"popular": trained("popular")}, Split(two_tastes(), table([]), "toy", "toy"))
    assert "nothing to compare" in page(nobody, "Empty")
    assert nobody.cohorts == {}
    assert np.isnan(nobody.overall.engines["popular"]["ndcg@10"])
