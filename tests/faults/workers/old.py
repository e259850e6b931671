"""A worker of an older release: it knows none of the tasks that it is sent."""

import os

from celery import Celery

app = Celery("old", broker=os.environ["CELERY_BROKER_URL"])
app.conf.task_ignore_result = True
app.conf.broker_transport_options = {"global_keyprefix": "recommender:"}
