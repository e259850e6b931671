"""The Celery application: ``celery -A backend worker``. Web processes do not import it: they publish nothing."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from celery import Celery

app = Celery("backend")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
