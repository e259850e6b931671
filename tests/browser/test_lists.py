"""A list appears in the page, whatever is in it, and never costs the page."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from tests.app import library

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
]


def test_a_list_is_shown_in_order_with_reasons_and_links(visitor):
    books = library.add_books("tea-0", "tea-1", "tea-2")
    visitor.open("/pages/list/", "shown")
    assert visitor.texts("#list > ol > li") == ["tea-2 new here", "tea-1 new here"]
    assert visitor.find("#list a").get_attribute("href") == f"{visitor.url}/books/{books[2].pk}/"
    assert visitor.console() == []  # nor did the policy refuse anything


def test_what_the_database_says_stays_text(visitor):
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    library.add_books(attack)
    visitor.open("/pages/list/", "shown")
    assert visitor.texts("#list a") == [attack]
    assert visitor.driver.title == "A host's page"
    assert not visitor.driver.find_elements("css selector", "#list img, #list script")


@pytest.mark.parametrize("page", ["elsewhere", "unknown"])
def test_a_failing_api_leaves_the_page_as_it_was(visitor, page):
    visitor.open(f"/pages/{page}/", "failed")
    assert visitor.find("#list").text == "Our favourites."
    assert visitor.find("button").is_enabled()
    assert [line for line in visitor.console() if "404" not in line] == []  # no error of the script


def test_whoever_is_not_logged_in_sees_what_the_page_had(visitor):
    visitor.driver.delete_all_cookies()
    visitor.open("/pages/list/", "failed")
    assert visitor.find("#list").text == "Soon."


def test_nothing_to_show_leaves_what_the_page_had(visitor):
    visitor.open("/pages/list/", "empty")
    assert visitor.find("#list").text == "Soon."


def test_a_list_that_fails_does_not_touch_another(visitor):
    library.add_books("tea-0")
    visitor.open("/pages/two/", "shown")
    assert visitor.texts("#list li") == ["tea-0 new here"]
    assert visitor.find("#other").text == "Fine."


def test_filters_and_similar_items(visitor):
    books = library.add_books("tea-0", "sea-0", "sea-1")
    visitor.open("/pages/filtered/", "shown")
    assert visitor.texts("#list li > span") == ["tea-0"]
    visitor.open(f"/pages/similar/?book={books[1].pk}", "shown")
    assert visitor.texts("#list li > span") == ["sea-1", "tea-0"]


def test_an_element_that_comes_later_is_started_by_hand(visitor):
    library.add_books("tea-0")
    visitor.open("/pages/unknown/", "failed")
    program = (
        "const late = document.createElement('div'); late.id = 'late'; late.dataset.recommender = 'books';"
        "document.body.append(late); recommender.start(late)"
    )
    visitor.driver.execute_script(program)
    visitor.wait(lambda: visitor.texts("#late li > span") == ["tea-0"])


def test_the_script_is_small():
    script = Path(finders.find("recommender_app/recommender.js")).read_bytes()
    assert len(gzip.compress(script)) < 3_000
