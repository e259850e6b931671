"""Words of texts: every script, HTML, and anything a host may store."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.engines.text import MAX_TEXT_CHARACTERS, document_words, words_of

SKLEARN_WORDS = re.compile(r"(?u)\b\w\w+\b")  # TfidfVectorizer's own token_pattern


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A red, red Apple!", ["red", "red", "apple"]),
        ("", []),
        ("x", []),
        ("one", ["one"]),
        ("我喜欢机器学习", ["我喜", "喜欢", "欢机", "机器", "器学", "学习"]),
        ("学", ["学"]),
        ("使用Python编程", ["使用", "python", "编程"]),
        ("カメラ", ["カメ", "メラ"]),
        ("รัก", ["รั", "ัก"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("Привет, мир", ["привет", "мир"]),
        ("Ｐｙｔｈｏｎ", ["python"]),
    ],
)
def test_words_of_every_script(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p class='big'>Hello<br/>world</p>", ["hello", "world"]),
        ("<script>var secret = 1</script>shown", ["shown"]),
        ("<!-- hidden -->shown", ["shown"]),
        ("cats &amp; dogs&nbsp;too", ["cats", "dogs", "too"]),
        ("cut off <a href='http://long", ["cut", "off"]),
        ("if aa < bb and cc > dd", ["if", "aa", "bb", "and", "cc", "dd"]),
    ],
)
def test_html_is_no_content(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_megabyte_is_read_up_to_the_cap() -> None:
    assert len(words_of("word " * 200_000)) == MAX_TEXT_CHARACTERS // len("word ")
    assert words_of("<" * 1_000_000) == []


def test_encoded_data_is_no_word() -> None:
    assert words_of("logo " + "QUJD" * 500) == ["logo"]


def test_category_values_are_words_but_their_fields_are_not() -> None:
    assert document_words("a text", ("tags=machine learning", "city=Bonn")) == ["text", "bonn", "machine", "learning"]


@given(
    st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=200).filter(
        lambda text: "<" not in text and "&" not in text
    )
)
def test_european_text_is_cut_as_scikit_learn_cuts_it(text: str) -> None:
    import unicodedata

    plain = unicodedata.normalize("NFKC", text)
    if not any(unicodedata.combining(character) for character in plain):
        assert words_of(text) == [word for word in SKLEARN_WORDS.findall(plain.lower()) if len(word) <= 40]


@given(st.text(max_size=500))
def test_no_text_is_an_error(text: str) -> None:
    assert all(word and "\0" not in word for word in words_of(text))
