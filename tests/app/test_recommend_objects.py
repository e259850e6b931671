"""``recommend_objects`` and the template tag: the host's own objects, in order."""

import logging
import subprocess
import sys

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.template import engines
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils.functional import SimpleLazyObject

from recommender_app import recommend_objects
from recommender_app.exceptions import ConfigurationError, UnknownUseCase
from recommender_app.models import RequestLog
from recommender_app.serving.query import checked_query
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db
LIST = (
    '{% load recommender %}{% recommendations "books" limit=2 as books %}'
    "{% for book in books %}{{ book.recommendation.rank }} {{ book.title }} ({{ book.recommendation.reason.text }}, "
    "{{ book.recommendation.source }});{% endfor %}"
)


def rendered(user, template=LIST):
    request = RequestFactory().get("/")
    request.user = user
    return engines["django"].from_string(template).render({}, request)


def test_the_objects_come_in_order_and_say_why():
    books = library.add_shelves(2)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    reader = library.add_reader(likes=(books[2],))
    with override_engine("books", FixedEngine([books[3].pk, books[0].pk])):
        found = recommend_objects(reader, "books", 2)
    assert found == [books[3], books[0]]
    assert [type(book) for book in found] == [Book, Book]
    assert [book.recommendation.rank for book in found] == [1, 2]
    assert found[0].recommendation.source == "fixed"
    assert str(found.answer.request_id) == str(RequestLog.objects.get().request_id)


def test_a_preview_is_not_logged():
    library.add_books("tea-0")
    assert len(recommend_objects(library.add_reader(), "books", log=False)) == 1
    assert not RequestLog.objects.exists()


def test_a_model_with_a_field_of_that_name_keeps_it(monkeypatch):
    monkeypatch.setattr(Book, "recommendation", "by the staff", raising=False)
    library.add_books("tea-0")
    found = recommend_objects(library.add_reader(), "books")
    assert found[0].recommendation == "by the staff"
    assert found.answer.results[0].rank == 1


def test_the_package_offers_it_without_importing_django():
    program = (
        "import sys, recommender_app; assert 'django' not in sys.modules; "
        "print('recommend_objects' in dir(recommender_app))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "True\n"


def test_a_template_shows_them():
    library.add_books("tea-0", "tea-1", "<b>sea</b>-2")
    page = rendered(library.add_reader().account)
    assert page == "1 &lt;b&gt;sea&lt;/b&gt;-2 (new here, newest);2 tea-1 (new here, newest);"


def test_a_template_may_name_the_answer():
    library.add_books("tea-0")
    template = '{% load recommender %}{% recommendations "books" as books %}{{ books.answer.request_id }}'
    page = rendered(library.add_reader().account, template)
    assert page == str(RequestLog.objects.get().request_id)


def test_a_template_asks_the_database_only_who_the_reader_is_beside_what_the_function_asks():
    library.add_shelves(3)
    reader = library.add_reader()
    recommend_objects(reader, "books")  # policies and rules are read once per process
    with CaptureQueriesContext(connection) as of_function:
        recommend_objects(reader, "books", 2)
    with CaptureQueriesContext(connection) as of_template:
        rendered(reader.account)
    assert len(of_template) == len(of_function) + 1


@pytest.mark.parametrize("user", [AnonymousUser, lambda: User.objects.create_user("no reader"), lambda: None])
def test_whoever_is_no_user_sees_an_empty_list_and_the_log_says_so(user, caplog):
    caplog.set_level(logging.INFO, "recommender_app")
    library.add_books("tea-0")
    assert rendered(user()) == ""
    assert [record.getMessage()[:27] for record in caplog.records] == ["No recommendations of books"]


def test_a_database_that_is_gone_leaves_an_empty_list(caplog):
    library.add_books("tea-0")
    account = library.add_reader().account
    with connection.execute_wrapper(library.refuse):
        assert rendered(account) == ""
    assert "the database cannot be read" in caplog.text


def test_a_template_without_the_request_is_told_what_to_do():
    template = engines["django"].from_string(LIST)
    with pytest.raises(ConfigurationError, match="context_processors"):
        template.render({})


def test_a_use_case_that_does_not_exist_is_the_templates_mistake():
    with pytest.raises(UnknownUseCase, match="Registered: books"):
        rendered(library.add_reader().account, '{% load recommender %}{% recommendations "boks" as books %}')


def test_a_limit_out_of_range_is_the_templates_mistake():
    with pytest.raises(ValueError, match="between 1 and 100"):
        rendered(library.add_reader().account, '{% load recommender %}{% recommendations "books" limit=0 as books %}')


@pytest.mark.parametrize(("who", "kind"), [(7, "int"), ("ann", "str"), (None, "NoneType")])
def test_what_is_no_user_is_told_what_to_give(who, kind):
    with pytest.raises(TypeError, match=f"A {kind} is no user of books: give an instance of Reader"):
        recommend_objects(who, "books")


def test_an_object_of_another_model_is_told_what_to_give(django_assert_num_queries):
    (book,) = library.add_books("tea-1")
    with django_assert_num_queries(0), pytest.raises(TypeError, match="A Book is no user of books: give an instance"):
        recommend_objects(book, "books")


@isolate_apps("tests.toyhost")
def test_a_proxy_and_a_lazy_object_are_users():
    class Customer(Reader):
        class Meta:
            app_label, proxy = "toyhost", True

    reader = library.add_reader()
    for user in (Customer(pk=reader.pk), SimpleLazyObject(lambda: reader)):
        assert checked_query(get_use_case("books"), user, 1).user is user
