"""The broker's Redis is asked how it makes room, and nobody waits for one that does not answer."""

import socket

import pytest

from recommender_app.checks.broker import broker_advice
from tests import services
from tests.app.declarations import short_ids


@pytest.mark.services
def test_a_broker_that_makes_room_by_deleting_queues_is_told_of(settings):
    import redis

    with services.running_redis() as url:
        settings.CELERY_BROKER_URL = url
        assert broker_advice() == []
        with redis.Redis.from_url(url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        assert short_ids(broker_advice()) == ["W106"]
        assert "allkeys-lru" in broker_advice()[0].msg


@pytest.mark.parametrize("url", ["", "amqp://127.0.0.1:1//", "redis://127.0.0.1:1/0", "redis://no port/0"])
def test_what_cannot_be_asked_is_not_judged(settings, url):
    settings.CELERY_BROKER_URL = url
    assert broker_advice() == []


def test_a_broker_that_is_silent_is_not_waited_for(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert broker_advice() == []  # a client without a timeout would wait for ever
