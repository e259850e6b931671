"""A Celery worker of the site over Redis; a task asks ``recommend`` and leaves the answer in a file."""

import json
import os
from pathlib import Path

from celery import Celery

app = Celery("site")
app.conf.broker_url = os.environ["RELEASING_BROKER_URL"]
app.conf.task_default_queue = os.environ["RELEASING_QUEUE"]
app.conf.task_ignore_result = True
app.conf.include = ["recommender_app.tasks"]


@app.task(name="ask")
def ask(number: int, folder: str) -> None:
    from recommender_app.serving.service import recommend
    from tests.toyhost.models import Reader

    answer = recommend(Reader.objects.get(), "books", 5)
    told = {
        "process": os.getpid(),
        "version": answer.model_version,
        "release": answer.release,
        "items": [str(result.id) for result in answer.results],
    }
    part = Path(folder) / f"{number}.part"
    part.write_text(json.dumps(told))
    part.rename(part.with_suffix(".json"))
