"""Words of a text: the one rule that training and serving share."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_TEXT_CHARACTERS = 20_000
MAX_WORD_CHARACTERS = 40
MAX_TERM_CHARACTERS = 100

# Scripts that are written without spaces: Thai, Lao, Myanmar, Khmer, Japanese kana, Chinese.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel and tone marks are part of a word, though Python's \w leaves them out (Hindi, Arabic, Hebrew, ...).
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_RUN = re.compile(rf"[{_UNSPACED}]+|(?:[^\W{_UNSPACED}]|[{_MARKS}])+")
_UNSPACED_START = re.compile(rf"[{_UNSPACED}]")
# A script's or style's own text goes with its tag; a tag that the cap cut off ends with the text.
_MARKUP = re.compile(r"<(?:script|style)\b[^<>]*(?:>[^<]*|$)|<!--[^<>]*(?:>|$)|</?[a-z][^<>]*(?:>|$)", re.IGNORECASE)


def clean_text(text: str) -> str:
    """Return the first 20,000 characters without HTML, lower-case, in Unicode's compatible form."""
    plain = html.unescape(_MARKUP.sub(" ", text[:MAX_TEXT_CHARACTERS]))
    return unicodedata.normalize("NFKC", plain)[:MAX_TEXT_CHARACTERS].lower()


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, repetitions included.

    A word is a run of two or more letters, digits or underscores, as in scikit-learn. A run in a
    script without spaces yields its character pairs instead, or itself where it is one character.
    Words of more than 40 characters (encoded data, not language) are left out.
    """
    words: list[str] = []
    for run in _RUN.findall(clean_text(text)):
        if _UNSPACED_START.match(run):
            words.extend(_pairs(run))
        elif 2 <= len(run) <= MAX_WORD_CHARACTERS:
            words.append(run)
    return words


def document_words(text: str, terms: Iterable[str]) -> list[str]:
    """Return the words of a row: its text's and those of its category values.

    A user's ``skills=python`` and an item's ``tags=python`` are different terms; their shared
    word is how profiles and items meet.
    """
    values = "\n".join(_value_of(term) for term in unique_terms(terms))
    return words_of(text) + words_of(values)


def unique_terms(terms: Iterable[str]) -> list[str]:
    """Return a row's category terms once each, sorted, cut at 100 characters."""
    return sorted({term[:MAX_TERM_CHARACTERS] for term in terms})


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _value_of(term: str) -> str:
    return term.partition("=")[2]
