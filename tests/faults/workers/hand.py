"""The hand of the tests: fills the library, asks for trainings, sends messages and tells what the rows say.

Commands come as JSON lists on standard input, one a line; each is answered by one line of JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import django

N_BOOKS, N_READERS = 6, 6


def fill() -> None:
    """Make the tables, books and readers who like some of them, and a login's token."""
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    from tests.app import library

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
    books = library.add_books(*[f"tea-{place}" for place in range(N_BOOKS)])
    readers = [library.add_reader(f"reader{number}", tuple(books[number % 3 :][:3])) for number in range(N_READERS)]
    Token.objects.create(user=readers[0].account)


def token() -> str:
    """Return a login's token."""
    from rest_framework.authtoken.models import Token

    return Token.objects.get().key


def is_sent(run: int) -> bool:
    """Tell whether a dispatcher has sent a message of a run."""
    from recommender_app.models import TrainingRun

    return TrainingRun.objects.filter(pk=run, lease_until__isnull=False).exists()


def request(slot: str = "") -> int | None:
    """Ask for a training; return the run."""
    from recommender_app.registry.runs import request_run

    run = request_run("books", "popular", requested_by="test", slot=slot)
    return run and run.pk


def request_and_send(**options: Any) -> int:
    """Ask for a training and send its message; a dispatcher sends none."""
    from django.utils import timezone

    from recommender_app.models import TrainingRun
    from recommender_app.registry.database import atomic

    with atomic():
        pk = request()
        TrainingRun.objects.filter(pk=pk).update(lease_until=timezone.now() + timedelta(hours=1))
    send(pk, **options)
    return pk


def send(run: int, n: int = 1, **options: Any) -> None:
    """Send messages of a run past the dispatcher."""
    from recommender_app.tasks import train

    for _ in range(n):
        train.apply_async((run,), retry=False, **options)


def purge() -> None:
    """Throw away the messages of trainings that are over."""
    from backend.celery import app

    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("recommender_training")


def dispatch() -> str:
    """Do one round here; the answer is its report or the error."""
    from kombu.exceptions import OperationalError

    from recommender_app.tasks import dispatch as task

    try:
        return task()
    except (OperationalError, OSError) as error:
        return f"refused: {error}"


def run(pk: int) -> dict:
    """Return the row of a run, and the versions that it left."""
    from recommender_app.models import ModelVersion, TrainingRun

    row = TrainingRun.objects.get(pk=pk)
    versions = [version.name for version in ModelVersion.objects.filter(training_run=row)]
    return {name: getattr(row, name) for name in ("status", "reason", "attempts", "token")} | {"versions": versions}


def slots() -> list:
    """Return [slot, status] of every scheduled run."""
    from recommender_app.models import TrainingRun

    return [list(pair) for pair in TrainingRun.objects.exclude(slot="").order_by("pk").values_list("slot", "status")]


def main() -> None:
    django.setup()
    from backend.celery import app

    app.set_default()
    commands = (fill, token, is_sent, request, request_and_send, send, purge, dispatch, run, slots)
    for line in sys.stdin:
        name, arguments, options = json.loads(line)
        command = next(function for function in commands if function.__name__ == name)
        print(json.dumps(command(*arguments, **options)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
