"""Advice for production, shown by ``check --deploy``."""

from __future__ import annotations

import os

from django.conf import settings as django_settings
from django.core.checks import CheckMessage

from recommender_app import conf
from recommender_app.checks.messages import warning
from recommender_app.checks.values import RULES

UNSHARED_CACHES = ("LocMemCache", "DummyCache")
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def deployment_advice() -> list[CheckMessage]:
    """Return what works on one machine but not well in production."""
    return [*_cache(), *_proxies(), *_threads(), *_folder(), *_slate_cache()]


def _cache() -> list[CheckMessage]:
    backend = str(django_settings.CACHES.get("default", {}).get("BACKEND", ""))
    if not backend.endswith(UNSHARED_CACHES) or not _is_throttled():
        return []
    hint = "Use a cache that all processes share (Redis, Memcached, database), or set THROTTLE_RATES to None."
    return [warning(101, "CACHES", "Requests are counted in each process apart, so rates are not kept.", hint)]


def _proxies() -> list[CheckMessage]:
    from rest_framework.settings import api_settings

    if api_settings.NUM_PROXIES is not None or not _is_throttled():
        return []
    message = "Whoever is not logged in can escape throttling with a header of their own (X-Forwarded-For)."
    hint = "Set REST_FRAMEWORK['NUM_PROXIES'] to the number of proxies in front of Django, 0 for none."
    return [warning(102, "REST_FRAMEWORK", message, hint)]


def _threads() -> list[CheckMessage]:
    if any(os.environ.get(name) == "1" for name in THREAD_VARIABLES):
        return []
    hint = "Set OPENBLAS_NUM_THREADS=1 in the environment of web processes, before Python starts."
    return [warning(103, "environment", "NumPy may start a thread per core in every web process.", hint)]


def _folder() -> list[CheckMessage]:
    if not RULES["ARTIFACT_ROOT"].is_kept(conf.settings.ARTIFACT_ROOT):
        return []
    root = conf.settings.artifact_root
    if root.is_dir() and os.access(root, os.R_OK | os.X_OK):
        return []
    hint = "Create it on storage that web and training processes share, or point ARTIFACT_ROOT to it."
    return [warning(104, conf.SETTING, f"ARTIFACT_ROOT {root} is no folder that can be read.", hint)]


def _slate_cache() -> list[CheckMessage]:
    seconds, alias = conf.settings.SLATE_CACHE_SECONDS, conf.settings.SLATE_CACHE
    are_sound = RULES["SLATE_CACHE_SECONDS"].is_kept(seconds) and RULES["SLATE_CACHE"].is_kept(alias)
    if not are_sound or not seconds:
        return []
    cache = django_settings.CACHES[alias]
    if not str(cache.get("BACKEND", "")).endswith("backends.redis.RedisCache"):
        return []
    options = cache.get("OPTIONS", {})
    if "serializer" in options and "socket_timeout" in options:
        return []
    message = f"Slates are kept in the Redis of CACHES[{alias!r}], whose values Django unpickles and waits for."
    hint = (
        'Give it OPTIONS {"serializer": "recommender_app.serving.cache_serializer.JSONSerializer", '
        '"socket_timeout": 0.1, "socket_connect_timeout": 0.1}.'
    )
    return [warning(105, "CACHES", message, hint)]


def _is_throttled() -> bool:
    rates = conf.settings.THROTTLE_RATES
    return not RULES["THROTTLE_RATES"].is_kept(rates) or any(rates.values())
