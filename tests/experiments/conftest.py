"""What tests of experiments begin with."""

import pytest

from tests.app import library


@pytest.fixture
def books(settings, tmp_path, db):
    """Twelve books; ALS, which everybody is routed to, and the popular ones are live."""
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path / "root"),
        "SPOOL_DIR": tmp_path / "spool",
        "COLD_START_THRESHOLD": 0,
        "WARM_USER_THRESHOLD": 100,
    }
    books = library.add_shelves(6)
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    return books
