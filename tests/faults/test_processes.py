"""A release reaches every process in seconds: no request fails, and no answer mixes two releases."""

import json
import threading
import time

import pytest

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.serving import live
from tests import services
from tests.app import library
from tests.faults.releasing.asking import asked
from tests.faults.releasing.processes import Site

RELOAD_SECONDS = 1.0
MARGIN_SECONDS = 20.0  # for a machine that is busy with something else
N_PROMOTIONS = 5
N_CLIENTS = 8
PATH = "/api/recommendations/books/?limit=10"


class Client(threading.Thread):
    """Asks without pause and keeps what it was told: (status, process, version, items)."""

    def __init__(self, port, token):
        super().__init__()
        self.port, self.token = port, token
        self.answers, self.is_done = [], threading.Event()

    def run(self):
        while not self.is_done.is_set():
            self.answers.append(self.ask())

    def ask(self):
        status, process, body = asked(self.port, self.token, PATH)
        items = [result["id"] for result in body.get("results", ())]
        return status, process, body.get("model_version"), items


def processes_seen(clients, version, skipped=(0,) * N_CLIENTS):
    """Return which processes have answered with a version, without the first answers of each client."""
    answers = [answer for client, n in zip(clients, skipped, strict=True) for answer in client.answers[n:]]
    return {process for _, process, found, _ in answers if found == version}


def wait_until(condition):
    deadline = time.monotonic() + RELOAD_SECONDS + MARGIN_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("is_preloaded", [True, False])
def test_row_12_13_releases_and_a_roll_back_reach_every_gunicorn_worker_and_no_request_fails_or_mixes(
    tmp_path, postgres_database, is_preloaded
):
    site, port = Site(tmp_path, postgres_database, RELOAD_SECONDS), services.free_port()
    site.environment["WEB_PRELOAD"] = str(is_preloaded)
    with site.registry() as registry:
        filled = registry.do("fill")
        registry.do("promote", 1)
        with site.gunicorn(port, "--workers", "4", "--threads", "2"):
            clients = [Client(port, filled["token"]) for _ in range(N_CLIENTS)]
            for client in clients:
                client.start()
            try:
                for number in range(1, N_PROMOTIONS + 2):
                    version = f"popular_v{number}"
                    if number > 1:
                        registry.do("promote", number)
                    wait_until(lambda version=version: len(processes_seen(clients, version)) == 4)
                n_before = [len(client.answers) for client in clients]
                restored = f"popular_v{registry.do('roll_back')['release']}"
                wait_until(lambda: len(processes_seen(clients, restored, n_before)) == 4)
            finally:
                for client in clients:
                    client.is_done.set()
                for client in clients:
                    client.join()
        answers = [answer for client in clients for answer in client.answers]
        pairs = registry.do("releases")["pairs"]
    assert {status for status, *_ in answers} == {200}
    for _, _, version, items in answers:
        assert len(items) == 10
        assert set(items) <= set(filled["books"][version])
    assert pairs == [[f"popular_v{number}", number] for number in range(1, N_PROMOTIONS + 2)]


@pytest.mark.services
@pytest.mark.slow
def test_a_release_reaches_every_child_of_a_celery_worker(tmp_path, postgres_database, redis_url):
    site, answers = Site(tmp_path, postgres_database, RELOAD_SECONDS, redis_url), tmp_path / "answers"
    answers.mkdir()
    with site.registry() as registry, site.celery(2):
        books = registry.do("fill")["books"]
        sent, seen = 0, []
        for number in (1, 2, 3):
            registry.do("promote", number)
            since = time.monotonic()
            while len({told["process"] for told in seen if told["version"] == f"popular_v{number}"}) < 2:
                assert time.monotonic() - since < RELOAD_SECONDS + 3 * MARGIN_SECONDS, site.log.read_text()[-3000:]
                for _ in range(4):  # more than one child answers in the time that one needs
                    send_ask(site, sent, answers)
                    sent += 1
                time.sleep(0.1)
                seen = [json.loads(path.read_text()) for path in answers.glob("*.json")]
    for told in seen:
        assert len(told["items"]) == 5
        assert set(told["items"]) <= set(books[told["version"]])
        assert told["release"] == int(told["version"].removeprefix("popular_v"))


def send_ask(site, number, answers):
    """Put a message into the worker's queue, as any other process would."""
    from celery import Celery

    with Celery("sender", broker=site.environment["RELEASING_BROKER_URL"], set_as_current=False) as app:
        told = {"number": number, "folder": str(answers)}
        app.send_task("ask", kwargs=told, queue=site.environment["RELEASING_QUEUE"], ignore_result=True)


@pytest.mark.slow
@pytest.mark.django_db
def test_threads_see_whole_releases_only_while_a_thousand_are_swapped_in(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "PRELOAD": True,
        "RELOAD_SECONDS": 3600,
    }
    books = library.add_shelves(5)
    sizes = {"popular_v1": 4, "popular_v2": 9}
    for version, size in sizes.items():
        library.publish(version, library.popular_engine(books[:size]), books[:size])
    library.put_live(1, "popular_v1")
    live.current("books")  # compared with the row now, and then no more in this test
    seen, is_done = [set(), set(), set(), set()], threading.Event()

    def look(versions_seen):
        while not is_done.is_set():
            release = live.current("books")
            version = release.versions["popular"]
            artifact = release.artifacts["popular"]
            assert artifact.path.name == version
            assert len(release.catalogue) == len(artifact.items) == artifact.engine.n_items == sizes[version]
            assert release.number % 2 == int(version[-1]) % 2
            versions_seen.add(version)
            time.sleep(0.0005)  # or the loading thread would hardly get its turn

    failures = []
    threads = [threading.Thread(target=guarded, args=(look, found, failures)) for found in seen]
    for thread in threads:
        thread.start()
    for number in range(2, 1002):
        write_live_hint(tmp_path, LiveHint("books", number, {"popular": f"popular_v{2 - number % 2}"}))
        live.preload()
    is_done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(found == set(sizes) for found in seen)


def guarded(look, found, failures):
    try:
        look(found)
    except Exception as error:  # noqa: BLE001  an assertion in a thread is nobody's failure otherwise
        failures.append(error)
