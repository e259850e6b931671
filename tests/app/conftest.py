"""What many tests of the doors begin with; a test file may have its own of the same name."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.app import library
from tests.app.posting import show
from tests.toyhost.models import Book, Reader


@pytest.fixture
def books(db: None) -> list[Book]:
    """Three books on tea, then three newer ones on the sea."""
    return library.add_shelves(3)


@pytest.fixture
def reader(db: None) -> Reader:
    """Ann, who has a login of her own."""
    return library.add_reader()


@pytest.fixture
def reader_client(reader: Reader) -> Client:
    """Ann's browser, logged in."""
    client = Client()
    client.force_login(reader.account)
    return client


@pytest.fixture
def shown(reader_client: Client, books: list[Book]) -> str:
    """The request_id of an answer that showed Ann books 4 and 2, in this order."""
    return show(reader_client, books[4], books[2])
