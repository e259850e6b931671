"""A rate of requests, whatever happens to the site; and how many it can answer at most."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from itertools import count

from tests.benchmarks.site.figures import N_VISITORS, VISITORS

PATH = "/api/recommendations/books/"
CONNECTIONS = 4
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What one request came to.

    Attributes:
        at: monotonic seconds when it was due.
        seconds: from then until it was answered.
        status: 0 = the connection broke.
        request_id: of a 200; "" otherwise.
        is_empty: a 200 without results.
    """

    at: float
    seconds: float
    status: int
    request_id: str = ""
    is_empty: bool = False


def saturation(port: int, seconds: float) -> float:
    """Return how many requests a second are answered with 200 where every connection asks again at once."""
    with Load(port, float("inf")) as load:
        time.sleep(seconds)
        n_answered = sum(answer.status == http.HTTPStatus.OK for answer in load.answers)
    return n_answered / seconds


class Load:
    """Offers a rate of requests until it is stopped; ``answers`` grows meanwhile.

    A request that is late because those before it were slow counts its waiting. What an overload
    keeps from being sent at all is missing beside ``n_due``.

    Args:
        rate: requests per second; infinite = each connection asks again at once.
    """

    def __init__(self, port: int, rate: float) -> None:
        self.answers: list[Answer] = []
        self.n_due = 0.0
        self._rate, self._port, self._pause = rate, port, CONNECTIONS / rate
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._offer, args=(number,)) for number in range(CONNECTIONS)]

    def __enter__(self) -> Load:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.n_due = self._rate * (time.monotonic() - self._began)
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _offer(self, number: int) -> None:
        start = time.monotonic() + number * self._pause / CONNECTIONS
        kinds = list(VISITORS)
        for turn in count():
            due = start + turn * self._pause if self._pause else time.monotonic()
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            self.answers.append(self._ask(due, f"{kinds[turn % 3]}{(turn * CONNECTIONS + number) % N_VISITORS}"))

    def _ask(self, due: float, token: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", PATH, headers={"Authorization": f"Token {token}"})
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return Answer(due, time.monotonic() - due, 0)
        finally:
            connection.close()
        seconds = time.monotonic() - due
        if response.status != http.HTTPStatus.OK:
            return Answer(due, seconds, response.status)
        told = json.loads(body)
        return Answer(due, seconds, response.status, told["request_id"], not told["results"])
