"""TF-IDF served without scikit-learn equals scikit-learn's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender_app.dataset.features import Features
from recommender_app.engines.text import words_of
from recommender_app.engines.tfidf import TfIdf
from recommender_app.trainers.text_fit import fit_tfidf, fit_wording

CORPUS = [
    "red apple and red ball",
    "blue ball",
    "我喜欢机器学习",
    "機械学習 book",
    "สวัสดีชาวโลก",
    "<b>apple</b> pie",
    "",
]
vocabulary_text = st.lists(
    st.sampled_from(
        [
            *[
                "red",
                "apple",
                "ball",
                "blue",
                "pie",
                "unknown",
                "我喜欢",
                "学习",
                "習",
                "ชาวโลก",
                "<b>",
                "&amp;",
                "مرحبا",
                "Zürich",
            ],
            "x",
        ]
    ),
    max_size=40,
).map(" ".join)
any_text = st.one_of(vocabulary_text, st.text(max_size=200))


def sklearn_vectorizer(max_features: int | None = None) -> TfidfVectorizer:
    vectorizer = TfidfVectorizer(analyzer=words_of, sublinear_tf=True, max_features=max_features)
    return vectorizer.fit(CORPUS)


SKLEARN = sklearn_vectorizer()
OURS, _ = fit_tfidf(CORPUS, words_of, 50_000)


@settings(deadline=None)
@given(st.lists(any_text, max_size=4))
def test_fitted_words_transform_any_text_as_scikit_learn_does(texts: list[str]) -> None:
    rows = OURS.transform([words_of(text) for text in texts])
    assert rows.shape == (len(texts), len(SKLEARN.vocabulary_))
    if texts:
        np.testing.assert_allclose(rows.toarray(), SKLEARN.transform(texts).toarray(), atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=8), st.text(max_size=60))
def test_any_corpus_is_learned_as_scikit_learn_does(corpus: list[str], text: str) -> None:
    ours, rows = fit_tfidf(corpus, words_of, 50_000)
    if not len(ours):
        assert not any(map(words_of, corpus))
        return
    theirs = TfidfVectorizer(analyzer=words_of, sublinear_tf=True).fit(corpus)
    for documents in (corpus, [text]):
        expected = theirs.transform(documents).toarray()
        np.testing.assert_allclose(ours.transform([words_of(d) for d in documents]).toarray(), expected, atol=1e-5)
    np.testing.assert_allclose(rows.toarray(), theirs.transform(corpus).toarray(), atol=1e-5)


def test_the_vocabulary_is_capped_like_scikit_learns() -> None:
    ours, _ = fit_tfidf(CORPUS, words_of, 3)
    assert ours.words(np.arange(3)) == list(sklearn_vectorizer(3).get_feature_names_out())


def test_the_vocabulary_is_sorted_bytes_for_bisection() -> None:
    assert OURS.vocabulary.dtype.kind == "S"
    assert np.all(OURS.vocabulary[:-1] < OURS.vocabulary[1:])


def test_a_word_longer_than_all_known_ones_is_unknown() -> None:
    known = TfIdf.from_words(["abc"], np.ones(1, dtype=np.float32))
    assert known.columns_of(["abc", "abcd", "ab", ""]).tolist() == [0, -1, -1, -1]


def test_the_trainers_matrix_is_what_serving_computes() -> None:
    items = Features(
        CORPUS, [("tag=new red",), ("tag=blue", "tag=blue"), (), (), (), ("colour=红",), ("size=" + "x" * 200,)]
    )
    users = Features(["likes red"], [("wants=blue",)])
    fitted = fit_wording(items, users)
    np.testing.assert_allclose(fitted.wording.encode(items).toarray(), fitted.items.toarray(), atol=1e-5)
    np.testing.assert_allclose(fitted.wording.encode(users).toarray(), fitted.users.toarray(), atol=1e-5)
