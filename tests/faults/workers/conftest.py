"""What the tests with workers begin with; each file has a ``site`` of its own."""

from __future__ import annotations

import pytest

from tests.faults.workers.site import SHORT, TRAINING, Crew


@pytest.fixture(scope="module")
def hand(site):
    with site.hand() as hand:
        hand.do("fill")
        yield hand


@pytest.fixture(scope="module")
def dispatcher(site, hand):
    """A beat with a dispatcher every second, and the worker that runs it."""
    dispatcher = Crew(site, *SHORT, "--beat", "--schedule", str(site.folder / "beat"))
    dispatcher.worker()
    yield dispatcher
    dispatcher.dismiss()


@pytest.fixture(scope="module")
def crew(site, dispatcher):
    """Training workers with two children."""
    crew = Crew(site, *TRAINING)
    yield crew
    crew.dismiss()


@pytest.fixture
def run(site, hand):
    """A new run, whose training will wait until the test lets it go."""
    site.hold()
    hand.do("purge")
    yield hand.do("request")
    site.let_go()
