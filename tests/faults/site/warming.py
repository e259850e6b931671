"""Uses every engine in a process that will fork: linear algebra, mapped arrays and all."""

from __future__ import annotations

from django.db import connections

from recommender_app.serving import live
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from tests.toyhost.models import Reader


def ask_every_engine() -> None:
    """Answer one request per engine of the live release, then close what a child must not inherit."""
    reader = Reader.objects.get()
    for engine in live.current("books").artifacts:
        ask(reader, engine)
    connections.close_all()


def ask(reader: Reader, engine: str) -> None:
    """Answer one request, routed to ``engine``."""
    with forced_policy("books", Policy("fork", ((0, engine),))):
        answer = recommend(reader, "books", 3)
    assert answer.engine == engine, answer
