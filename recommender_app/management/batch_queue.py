"""Leaving the shards of a batch to Celery workers."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.batch_lists import ListOptions
from recommender_app.management.list_files import format_of
from recommender_app.usecases.site import get_use_case

BATCH_SHARD = "recommender.batch_shard"  # the task's name, which messages in a queue hold: never to change
CONNECT_SECONDS = 2


def enqueue_shards(options: ListOptions, n: int, app_name: str | None = None) -> list[Path]:
    """Send one task per shard; return the files that the workers will write, ``lists-1-of-4.parquet`` and so on.

    Args:
        options: of the whole batch.
        n: number of shards.
        app_name: where the Celery application is; ``<project>.celery`` if None.

    Raises:
        RecommenderError: a wrong option, no Celery, or no broker that can be reached.
    """
    get_use_case(options.use_case)
    kind = format_of(options.out, options.kind)
    app = _celery_app(app_name or f"{settings.ROOT_URLCONF.partition('.')[0]}.celery")
    shards = [
        replace(options, out=_shard_file(options.out, number, n), shard=f"{number}/{n}", kind=kind)
        for number in range(1, n + 1)
    ]
    with _connection(app) as connection:
        for shard in shards:
            app.send_task(BATCH_SHARD, kwargs=as_message(shard), connection=connection, retry=False)
    return [shard.out for shard in shards]


def as_message(options: ListOptions) -> dict[str, Any]:
    """Return the options as JSON values; ``from_message`` turns them back."""
    return {**asdict(options), "out": str(options.out), "users": list(options.users)}


def from_message(message: dict[str, Any]) -> ListOptions:
    """Return the options of a message."""
    return ListOptions(**{**message, "out": Path(message["out"]), "users": tuple(message["users"])})


def _shard_file(out: Path, number: int, n: int) -> Path:
    return out.absolute().with_name(f"{out.stem}-{number}-of-{n}{out.suffix}")


def _celery_app(name: str) -> Any:
    try:
        from celery.app.utils import find_app

        return find_app(name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"No Celery application {name} ({error}): pip install 'django-recommender-app[celery]' and name it "
            "with --celery-app, or write the shards yourself with --shard 1/4 and so on."
        ) from error


def _connection(app: Any) -> Any:
    from kombu.exceptions import OperationalError

    connection = app.connection_for_write()
    if connection.transport_cls == "memory":
        raise ConfigurationError("The Celery broker is this process's memory: set CELERY_BROKER_URL to a real one.")
    try:
        return connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
    except (OperationalError, OSError) as error:
        raise ConfigurationError(
            f"The Celery broker {connection.as_uri()} cannot be reached ({error}): start it, or set CELERY_BROKER_URL."
        ) from error
