"""Fixtures of the whole suite."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests import services

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """DATABASE_URL of a private PostgreSQL's maintenance database."""
    with services.running_postgres() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """DATABASE_URL of a new, empty database."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield postgres_server.rsplit("/", 1)[0] + "/" + name
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a private Redis."""
    with services.running_redis() as url:
        yield url


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_process() -> Iterator[None]:
    """Loaded releases, policies, breakers and throttle counters outlive a test's rolled-back rows: drop them."""
    yield
    from django.core.cache import cache

    from recommender_app import conf
    from recommender_app.serving import database

    for forget in (*conf.on_reload, database.forget):
        forget()
    cache.clear()
