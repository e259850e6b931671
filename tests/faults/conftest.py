"""The site that the tests of database and cache share, and the books of those about artifacts."""

import pytest

from tests.app import library
from tests.faults.servers import filled_site


@pytest.fixture(scope="session")
def site():
    """A site with ALS and popularity, behind proxies that work."""
    with filled_site() as filled:
        yield filled


@pytest.fixture
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0, "COLD_START_THRESHOLD": 1, "PRELOAD": True}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


@pytest.fixture
def books(root):
    return library.add_shelves(3)


@pytest.fixture
def reader(books):
    return library.add_reader(likes=(books[0],))
