"""Celery's door; workers find it by ``autodiscover_tasks``. Nothing else imports it: the app works without Celery."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.db import DatabaseError

from recommender_app.exceptions import RegistryError
from recommender_app.management.batch_lists import write_lists
from recommender_app.management.batch_queue import BATCH_SHARD, from_message


@shared_task(
    name=BATCH_SHARD,
    ignore_result=True,
    autoretry_for=(RegistryError, DatabaseError),  # both may be over in a minute
    retry_backoff=5,
    retry_backoff_max=300,
    max_retries=5,
)
def batch_shard(**message: Any) -> str:
    """Write the lists of one shard; twice is harmless, the file is replaced as a whole."""
    return str(write_lists(from_message(message)).path)
