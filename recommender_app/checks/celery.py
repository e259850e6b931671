"""Mistakes in the host's Celery settings, as far as trainings depend on them.

Read from Django's settings under the prefix ``CELERY_``, as ``config_from_object(...,
namespace="CELERY")`` reads them; Celery itself is not imported. A project without
``CELERY_BROKER_URL`` is not looked at.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage

from recommender_app.checks.messages import error, warning
from recommender_app.checks.values import is_number
from recommender_app.schedule import DISPATCH, TRAIN

PREFIX = "CELERY_"
DEFAULT_VISIBILITY_SECONDS = 3600
DEFAULT_ALIVE_SECONDS, ENOUGH_ALIVE_SECONDS = 4.0, 30.0
PROPOSED_LIMIT = 3300
SPARE = 1.5  # the visibility timeout is so many times the hard limit at least
WITH_VISIBILITY = ("redis", "rediss", "sentinel", "sqs", "gcpubsub")  # brokers that give a message out again
UNSAFE = ("pickle", "yaml", "application/x-python-serialize", "application/x-yaml")
PLACES = (
    "CELERY_BROKER_TRANSPORT_OPTIONS['visibility_timeout']",
    "CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS['visibility_timeout']",
    "CELERY_VISIBILITY_TIMEOUT",
)


def celery_problems() -> list[CheckMessage]:
    """Return what is wrong with the Celery settings; nothing where Celery is not configured."""
    if not _value("BROKER_URL"):
        return []
    rules = (_visibility, _time_limits, _loops, _serializers, _results, _queues, _clocks, _prefetch, _spawning)
    return [problem for rule in rules for problem in rule()]


def _visibility() -> list[CheckMessage]:
    if not _gives_out_again():
        return []
    seconds = _visibility_seconds()
    problems: list[CheckMessage] = []
    if len(set(seconds)) > 1:
        told = ", ".join(f"{place} {value:g}" for place, value in zip(PLACES, seconds, strict=True))
        message = f"The visibility timeout differs between its three places: {told}."
        hint = f"The shortest wins. {_three_places()}"
        problems.append(error(70, PLACES[0], message, hint))
    limit = _value("TASK_TIME_LIMIT")
    if is_number(limit) and min(seconds) <= SPARE * limit:
        message = (
            f"A task may run for {limit:g} s, but after {min(seconds):g} s its message is given to another worker."
        )
        needed = f"More than {SPARE * limit:g} s are needed"
        hint = f"{needed}, or a lower CELERY_TASK_TIME_LIMIT. {_three_places()}"
        problems.append(error(71, PLACES[0], message, hint))
    return problems


def _visibility_seconds() -> list[float]:
    options = (_value("BROKER_TRANSPORT_OPTIONS"), _value("RESULT_BACKEND_TRANSPORT_OPTIONS"))
    written = [*((part or {}).get("visibility_timeout") for part in options), _value("VISIBILITY_TIMEOUT")]
    return [value if is_number(value) else DEFAULT_VISIBILITY_SECONDS for value in written]


def _gives_out_again() -> bool:
    return str(_value("BROKER_URL")).startswith(WITH_VISIBILITY)


def _wanted_seconds() -> float:
    """Return a visibility timeout with room for the time limit, the proposed one where there is none."""
    limit = _value("TASK_TIME_LIMIT")
    enough = 2 * (limit if limit and is_number(limit) else PROPOSED_LIMIT) + 600
    return max(*_visibility_seconds(), enough)


def _three_places() -> str:
    """Return what to write where, so that nobody is sent from one place to the next."""
    seconds = _wanted_seconds()
    entry = f'"visibility_timeout": {seconds:.0f}'
    options = "CELERY_BROKER_TRANSPORT_OPTIONS and in CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS"
    return f"Set CELERY_VISIBILITY_TIMEOUT = {seconds:.0f}, and {entry} in {options}."


def _time_limits() -> list[CheckMessage]:
    hard, soft = _value("TASK_TIME_LIMIT"), _value("TASK_SOFT_TIME_LIMIT")
    if not hard:
        hint = "Set CELERY_TASK_TIME_LIMIT = 3300 and CELERY_TASK_SOFT_TIME_LIMIT = 3000, or what your trainings need."
        if _gives_out_again() and min(_visibility_seconds()) <= SPARE * PROPOSED_LIMIT:
            hint += f" {_three_places()}"
        return [warning(72, "CELERY_TASK_TIME_LIMIT", "A training that hangs keeps its worker for ever.", hint)]
    if not soft or soft >= hard:
        hint = "Set CELERY_TASK_SOFT_TIME_LIMIT below CELERY_TASK_TIME_LIMIT: at the hard limit nothing is cleaned up."
        return [warning(72, "CELERY_TASK_SOFT_TIME_LIMIT", "Nothing ends a long training before its process.", hint)]
    return []


def _loops() -> list[CheckMessage]:
    hint = "A task that kills its worker would run again for ever. Leave it out; lost trainings are asked for again."
    wrong = {
        "TASK_REJECT_ON_WORKER_LOST": True,
        "TASK_ACKS_ON_FAILURE_OR_TIMEOUT": False,
        "TASK_ACKS_ON_TIMEOUT": False,
    }
    return [
        error(73, PREFIX + name, f"{PREFIX}{name} is {value}.", hint)
        for name, value in wrong.items()
        if _value(name) is value
    ]


def _serializers() -> list[CheckMessage]:
    accepted = _value("ACCEPT_CONTENT") or ["json"]
    hint = "Leave CELERY_ACCEPT_CONTENT at ['json']: whoever can write to the broker could run code."
    problems: list[CheckMessage] = [
        error(74, f"{PREFIX}ACCEPT_CONTENT", f"Workers accept messages in {name}.", hint)
        for name in accepted
        if str(name).lower() in UNSAFE
    ]
    serializer = _value("TASK_SERIALIZER") or "json"
    if serializer not in accepted and not problems:
        hint = f"Add {serializer!r} to CELERY_ACCEPT_CONTENT, or set CELERY_TASK_SERIALIZER = 'json'."
        problems.append(
            error(75, f"{PREFIX}TASK_SERIALIZER", f"Workers refuse messages in {serializer}, which are sent.", hint)
        )
    return problems


def _results() -> list[CheckMessage]:
    if not _value("RESULT_BACKEND") or _value("TASK_IGNORE_RESULT"):
        return []
    hint = "Set CELERY_RESULT_BACKEND = None, or CELERY_TASK_IGNORE_RESULT = True: trainings have rows of their own."
    message = "Whoever publishes a task waits for the result backend when it is down."
    return [warning(76, f"{PREFIX}RESULT_BACKEND", message, hint)]


def _queues() -> list[CheckMessage]:
    training, others = _queue_of(TRAIN), _queue_of(DISPATCH)
    if training is None or training != others:
        return []
    hint = "Set CELERY_TASK_ROUTES = task_routes() of recommender_app.schedule, and start a worker for each queue."
    message = f"Trainings wait in the queue {training!r} with everything else, and everything else behind them."
    return [warning(77, f"{PREFIX}TASK_ROUTES", message, hint)]


def _queue_of(task: str) -> str | None:
    """Return the queue that the routes name for a task; None where they are more than a dict."""
    routes = _value("TASK_ROUTES") or {}
    if not isinstance(routes, dict):
        return None
    default = _value("TASK_DEFAULT_QUEUE") or "celery"
    matches = [route for pattern, route in routes.items() if fnmatchcase(task, str(pattern))]
    route = routes.get(task, matches[0] if matches else {})
    return str(route.get("queue", default)) if isinstance(route, dict) else str(route)


def _clocks() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if not django_settings.USE_TZ or _value("ENABLE_UTC") is False:
        hint = "Set USE_TZ = True and leave CELERY_ENABLE_UTC alone: beat may send a flood when the clocks change."
        problems.append(warning(78, f"{PREFIX}ENABLE_UTC", "Beat reckons in local time.", hint))
    zone = _value("TIMEZONE")
    if zone and str(zone) != django_settings.TIME_ZONE:
        message = f"CELERY_TIMEZONE is {zone}, TIME_ZONE is {django_settings.TIME_ZONE}."
        problems.append(warning(78, f"{PREFIX}TIMEZONE", message, "Set CELERY_TIMEZONE = TIME_ZONE."))
    return problems


def _prefetch() -> list[CheckMessage]:
    multiplier = _value("WORKER_PREFETCH_MULTIPLIER")
    if multiplier == 1:
        return []
    hint = "Set CELERY_WORKER_PREFETCH_MULTIPLIER = 1: a worker that trains takes no second message meanwhile."
    return [warning(79, f"{PREFIX}WORKER_PREFETCH_MULTIPLIER", "Tasks wait behind a training that has begun.", hint)]


def _spawning() -> list[CheckMessage]:
    seconds = _value("WORKER_PROC_ALIVE_TIMEOUT") or DEFAULT_ALIVE_SECONDS
    if _value("WORKER_POOL_START_METHOD") != "spawn" or seconds >= ENOUGH_ALIVE_SECONDS:
        return []
    hint = "Set CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60: on a busy machine, none of them would ever begin to work."
    message = f"A spawned child that has not imported everything within {seconds:g} s is killed."
    return [warning(80, f"{PREFIX}WORKER_PROC_ALIVE_TIMEOUT", message, hint)]


def _value(name: str) -> Any:
    return getattr(django_settings, PREFIX + name, None)
