"""Words that an engine names, as the user's profile says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from recommender_app.dataset.features import Features


class Said(NamedTuple):
    """A value of the profile: ``lookup`` it stands under, "" for a word of a text."""

    lookup: str
    value: str


def as_said(terms: Iterable[str], profile: Features) -> list[Said]:
    """Return what the first user's profile says with some words and ``field=value`` terms, each once.

    A word that is part of a category value stands for the value: "learning" for the skill
    "Machine Learning". Words of texts are named only where there is no such value.
    """
    from recommender_app.engines.text import words_of  # loaded with the engine that knows words; others need none

    values = [Said(*term.partition("=")[::2]) for term in profile.terms[0]]
    by_word: dict[str, Said] = {}
    for said in values:
        for word in words_of(said.value):
            by_word.setdefault(word, said)
    whole = {f"{said.lookup}={said.value}": said for said in values}
    found = (whole.get(term) or by_word.get(term) or Said("", term) for term in terms)
    once: dict[str, Said] = {}
    for said in found:
        once.setdefault(said.value.casefold(), said)
    return [said for said in once.values() if said.lookup] or list(once.values())


def field_name(model: Any, lookups: Iterable[str]) -> str:
    """Return what the host calls the one field that all ``lookups`` begin with; "" for several, or none."""
    names = {lookup.split("__")[0] for lookup in lookups}
    if len(names) != 1 or not (name := names.pop()):
        return ""
    field = model._meta.get_field(name)
    return str(getattr(field, "verbose_name", name))
