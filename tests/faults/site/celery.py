"""The site's Celery application: its workers' children recommend, after the parent did."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

from celery import Celery
from celery.signals import worker_init

app = Celery("faults")
app.config_from_object("django.conf:settings", namespace="CELERY")


@worker_init.connect
def _use_the_engines_before_the_fork(**_kwargs) -> None:
    from tests.faults.site.warming import ask_every_engine

    ask_every_engine()


@app.task(name="faults.recommend", acks_late=False)
def recommend_often(engine: str, n: int) -> None:
    """Answer n requests; the request log keeps the count."""
    from tests.faults.site.warming import ask
    from tests.toyhost.models import Reader

    reader = Reader.objects.get()
    for _ in range(n):
        ask(reader, engine)
