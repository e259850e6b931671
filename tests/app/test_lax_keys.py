"""Text keys in a column whose collation ignores case: what the database hides, Python must not show."""

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps
from django.utils import timezone

from recommender_app import Interactions
from recommender_app.serving.catalogue import Catalogue
from recommender_app.serving.query import Query
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.seen import Seen
from recommender_app.usecases.history import load_history
from tests.app import library
from tests.toyhost.models import Reader
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


def lax_collation():
    """Return the name of a collation that holds "Tea" equal to "tea"."""
    if connection.vendor == "sqlite":
        return "NOCASE"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE COLLATION any_case (provider=icu, locale='und-u-ks-level2', deterministic=false)")
    return "any_case"


def tales_for_readers(collation):
    """Return a use case of items with text keys, its two tables made."""

    class Tale(models.Model):  # noqa: DJ008  nobody names it
        slug = models.CharField(max_length=20, primary_key=True, db_collation=collation)

        class Meta:
            app_label = "toyhost"

    class Telling(models.Model):  # noqa: DJ008  nobody names it
        reader = models.ForeignKey(Reader, models.CASCADE, db_constraint=False)
        tale = models.ForeignKey(Tale, models.CASCADE, db_constraint=False)
        kind = models.CharField(max_length=20)
        at = models.DateTimeField()

        class Meta:
            app_label = "toyhost"

    for model in (Tale, Telling):  # by hand: the editor of SQLite refuses to work in a transaction
        with connection.cursor() as cursor:
            cursor.execute(connection.schema_editor().table_sql(model)[0])
    told = Interactions(Telling, user="reader", item="tale", event="kind", at="at")
    return type(
        "Tales",
        (BooksForReaders,),
        {"items": Tale, "interactions": told, "get_items": lambda self, user: Tale._base_manager.all()},
    )()


@pytest.mark.parametrize("is_lax", [True, False])
@isolate_apps("tests.toyhost")
def test_an_item_that_was_finished_in_another_spelling_is_hidden_where_the_database_says_so(is_lax):
    use_case = tales_for_readers(lax_collation() if is_lax else None)
    reader = library.add_reader()
    for slug in ("tea", "sea"):
        use_case.items._base_manager.create(slug=slug)
    telling = use_case.interactions.model._base_manager
    telling.create(reader_id=reader.pk, tale_id="Tea", kind="finish", at=timezone.now())
    telling.create(reader_id=reader.pk, tale_id="sea", kind="like", at=timezone.now())
    history = load_history(use_case, reader, 100)
    assert history.hidden_ids == ("Tea",)
    request = ServingRequest(Catalogue.of({}), history, None, history.hidden_ids)
    shown = Seen(Query(use_case, reader, 2), request).eligible(["tea", "sea"])
    assert set(shown) == ({"sea"} if is_lax else {"tea", "sea"})
