"""The site that the tests of database and cache share."""

import pytest

from tests.faults.servers import filled_site


@pytest.fixture(scope="session")
def site():
    """A site with ALS and popularity, behind proxies that work."""
    with filled_site() as filled:
        yield filled
