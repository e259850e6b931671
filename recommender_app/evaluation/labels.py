"""How engines and metrics are called and coloured in reports for people."""

from __future__ import annotations

from typing import NamedTuple


class Label(NamedTuple):
    """An engine in a report.

    Attributes:
        name: what it is called.
        meaning: what it does, for somebody who has not heard of it.
        colour: of the palette of Okabe and Ito, which colour-blind readers can tell apart.
        marker: a second way to tell lines apart.
    """

    name: str
    meaning: str
    colour: str
    marker: str = "o"


_LABELS = {
    "popular": Label("Popularity", "shows everybody what most people liked", "#8c8c8c", "s"),
    "trending": Label("Trending", "shows everybody what most people liked lately", "#E69F00", "D"),
    "item_knn": Label("Item neighbours", "shows what is liked together with what you liked", "#56B4E9", "^"),
    "als": Label("ALS", "learns tastes from who liked what (matrix factorisation)", "#0072B2", "o"),
    "content_based": Label("Content", "compares texts and categories; knows new users and new items", "#009E73", "v"),
    "item_graph": Label("Item graph", "learns which items point to which others", "#CC79A7", "P"),
    "two_tower": Label("Two-tower", "a neural network of histories, profiles and contents", "#D55E00", "X"),
    "ensemble": Label("Ensemble", "weighs the other engines' opinions", "#1a1a1a", "*"),
}
_OTHER = Label("", "an engine of this project", "#6b5b95", "h")

METRICS = {
    "precision": "share of the recommended places that were hits: things the user went on to choose",
    "recall": "share of what the user went on to choose that was recommended",
    "ndcg": "like recall, but hits near the top count more; 1 = a perfect list",
    "map": "mean precision at the hits; 1 = a perfect list",
    "mrr": "1 / place of the first hit",
    "hit_rate": "share of users with at least one hit",
    "coverage": "share of the catalogue that was recommended to anybody",
    "diversity": "how different the items of a list are by their categories; 0 = all alike, 1 = nothing in common",
    "novelty": "how unexpected the items are, in bits; more = fewer people know them",
    "popularity": "mean popularity percentile of what was recommended; 0.5 = no bias, near 1 = best sellers only",
}


def label_of(engine: str) -> Label:
    """Return the label of an engine; one of its own key for an engine that is not of this app."""
    return _LABELS.get(engine, _OTHER._replace(name=engine))
