"""What a broken broker does to trainings, and that it does nothing to requests."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest

from tests import services
from tests.faults.proxy import FORWARD, REFUSE, SILENT, Proxy
from tests.faults.workers.broker import Broker
from tests.faults.workers.site import TRAINING, Site

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("celery_broker")]
PATH = "/api/recommendations/books/?limit=3"
N_REQUESTS = 20


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("redis"))
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def proxy(broker):
    proxy = Proxy(broker.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory, proxy):
    with services.running_postgres() as database:
        yield Site(tmp_path_factory.mktemp("workers"), database, f"redis://127.0.0.1:{proxy.port}/0")


@pytest.fixture(scope="module")
def port(site, hand):
    with site.gunicorn() as port:
        yield port


@pytest.fixture
def answers(port, site, hand):
    """Ask many times, and require a full list each time."""

    def ask():
        for _ in range(N_REQUESTS):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", PATH, headers={"Authorization": f"Token {hand.do('token')}"})
                response = connection.getresponse()
                body = json.loads(response.read())
            assert (response.status, len(body["results"])) == (200, 3), site.log.read_text()[-4000:]

    return ask


@pytest.fixture
def trained(site, hand, dispatcher, crew):
    """Require that a run is trained once.

    Celery 5.7 may end a worker whose broker falls silent or has no memory: like a service manager,
    start those again that have ended.
    """

    def wait(run):
        site.let_go()
        site.wait_for(
            lambda: dispatcher.worker() and crew.worker() and hand.do("run", run)["status"] == "succeeded",
            f"run {run} is not trained",
        )
        row = hand.do("run", run)
        assert len(row["versions"]) == 1
        return row

    return wait


@pytest.mark.parametrize("mode", [REFUSE, SILENT], ids=["refused", "silent"])
def test_row_25_26_a_broker_that_does_not_answer_delays_trainings_and_no_request(
    mode, site, hand, crew, proxy, answers, trained
):
    crew.worker()
    site.hold()
    proxy.behave(mode)
    run = hand.do("request")
    assert hand.do("dispatch").startswith("refused")
    answers()
    assert hand.do("run", run)["status"] == "requested"
    proxy.behave(FORWARD)
    assert trained(run)["attempts"] == 1


def test_row_27_messages_that_a_restarted_broker_lost_are_sent_again(site, hand, crew, broker, answers, trained, run):
    crew.dismiss()
    site.wait_for(lambda: hand.do("is_sent", run), "nobody sends")
    broker.kill()
    answers()
    broker.start()
    crew.worker()
    assert trained(run)["attempts"] == 1


def test_row_27_a_training_survives_a_restart_of_the_broker(site, hand, crew, broker, trained, run):
    crew.worker()
    site.wait_for_training()
    for _ in range(2):
        broker.kill()
        broker.start()
    assert trained(run)["attempts"] == 1
    site.hold()
    after = hand.do("request")
    assert trained(after)["attempts"] == 1  # the worker takes new messages


def test_row_28_a_broker_without_memory_delays_trainings_and_no_request(site, hand, crew, broker, answers, trained):
    crew.worker()
    site.hold()
    broker.limit_memory(1)
    try:
        run = hand.do("request")
        assert "used memory > 'maxmemory'" in hand.do("dispatch")
        answers()
    finally:
        broker.limit_memory(0)
    assert trained(run)["attempts"] == 1


def test_row_23_a_message_that_comes_back_too_early_is_skipped(site, hand, crew, run):
    crew.dismiss()
    with site.worker(*TRAINING, CELERY_VISIBILITY_TIMEOUT="1"):
        site.wait_for_training()
        site.wait_for_words(f"run {run}: skipped")
        site.let_go()
        row = site.wait_for_status(hand, run, "succeeded")
    assert (row["attempts"], len(row["versions"])) == (1, 1)
