"""What was seen and clicked arrives in the ledger, once, with the answer and the place it belongs to."""

import uuid

import pytest

from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Book, Reading

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
]
NEVER = "const real = setTimeout; window.setTimeout = (done, ms, ...rest) => real(done, ms === %d ? 1e9 : ms, ...rest)"
FAST = "const real = setTimeout; window.setTimeout = (done, ms, ...rest) => real(done, ms / 20, ...rest)"


def events():
    """(event, title's place in the list) of everything in the ledger."""
    return sorted(FeedbackEvent.objects.values_list("event", "position"))


@pytest.fixture
def before_the_page(visitor):
    """Runs a script before those of the pages that are opened."""
    added = []

    def run(script):
        added.append(visitor.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script}))

    yield run
    for script in added:
        visitor.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def leave(visitor):
    visitor.driver.get(f"{visitor.url}/books/{uuid.uuid4()}/")


@pytest.mark.parametrize("page", ["list", "by the server", "token in the page"])
def test_what_is_seen_is_reported_once(visitor, page, settings):
    settings.CSRF_USE_SESSIONS = page == "token in the page"  # then no cookie holds it
    books = library.add_books("tea-0", "tea-1", "tea-2")
    visitor.open(f"/pages/{page}/", "shown")
    visitor.wait(lambda: FeedbackEvent.objects.count() == 2)
    for height in ("300vh", "0"):  # out of sight, and back
        visitor.driver.execute_script(f"document.querySelector('button').style.marginBottom = '{height}'")
    leave(visitor)
    shown = RequestLog.objects.get().request_id
    rows = FeedbackEvent.objects.order_by("position").values_list("event", "item_id", "position", "request_id")
    assert list(rows) == [("impression", str(books[2].pk), 1, shown), ("impression", str(books[1].pk), 2, shown)]
    assert all(uuid.UUID(name).version == 4 for name in FeedbackEvent.objects.values_list("event_id", flat=True))


def test_what_is_out_of_sight_is_reported_when_it_comes_into_sight(visitor):
    library.add_books("tea-0", "tea-1")
    visitor.open("/pages/below/", "shown")
    sent = "return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/events/')).length"
    assert visitor.driver.execute_script(sent) == 0
    visitor.driver.execute_script("scrollTo(0, 1e6)")
    visitor.wait(lambda: events() == [("impression", 1), ("impression", 2)])


def test_what_was_not_in_sight_for_a_second_is_not_reported(visitor, before_the_page):
    before_the_page(NEVER % 1000)
    library.add_books("tea-0")
    visitor.open("/pages/list/", "shown")
    visitor.find("#list a").click()  # the click is sent after whatever was seen
    visitor.wait(lambda: events() == [("view", 1)])


def test_what_was_seen_is_sent_when_the_page_goes(visitor, before_the_page):
    before_the_page(NEVER % 2000)
    library.add_books("tea-0")
    visitor.open("/pages/list/", "shown")
    visitor.driver.set_script_timeout(30)
    visitor.driver.execute_async_script("setTimeout(arguments[0], 1500)")  # longer than the second it is to be seen
    assert events() == []
    leave(visitor)
    visitor.wait(lambda: events() == [("impression", 1)])


def test_a_click_leads_on_and_is_recorded_by_the_host(visitor):
    books = library.add_books("tea-0", "tea-1")
    visitor.open("/pages/list/", "shown")
    visitor.find("#list li:nth-child(2) a").click()
    visitor.wait(lambda: visitor.driver.title == "A book")
    visitor.wait(lambda: FeedbackEvent.objects.filter(event="view").exists())
    row = FeedbackEvent.objects.get(event="view")
    assert (row.item_id, row.position, row.request_id) == (str(books[0].pk), 2, RequestLog.objects.get().request_id)
    assert Reading.objects.get().book == books[0]


def test_a_second_click_is_not_reported(visitor):
    library.add_books("tea-0")
    visitor.open("/pages/by the server/", "shown")
    visitor.find("#list li").click()
    visitor.find("#list li").click()
    visitor.find("button").click()  # the page's own
    visitor.wait(lambda: events() == [("impression", 1), ("view", 1)])


def test_events_that_are_refused_for_a_while_are_sent_again(visitor, before_the_page, settings):
    before_the_page(FAST)
    library.add_books("tea-0")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"events": "0/min"}}
    visitor.open("/pages/list/", "shown")
    visitor.wait(lambda: any("429" in line for line in visitor.console()))
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {}}
    visitor.wait(lambda: events() == [("impression", 1)])


def test_an_item_that_was_hidden_meanwhile_does_not_cost_the_others(visitor):
    books = library.add_books("tea-0", "tea-1")
    visitor.open("/pages/list/", "shown")
    Book.objects.filter(pk=books[1].pk).update(is_published=False)
    visitor.wait(lambda: events() == [("impression", 2)])


def test_a_list_of_the_hosts_own_is_reported_for_strangers_too(visitor, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous", True)
    (book,) = library.add_books("tea-0")
    visitor.driver.delete_all_cookies()
    visitor.open(f"/pages/the host's own/?book={book.pk}", "shown")
    visitor.find("#list li").click()
    visitor.wait(lambda: sorted(AnonymousEvent.objects.values_list("event", flat=True)) == ["click", "impression"])


def test_a_visitor_is_shown_a_list_without_a_login_and_reports_what_comes_of_it(visitor, monkeypatch):
    for name in ("allow_anonymous", "allow_anonymous_lists"):
        monkeypatch.setattr(type(get_use_case("books")), name, True)
    library.add_books("tea-0")
    visitor.driver.delete_all_cookies()
    visitor.open("/pages/list/", "shown")
    visitor.wait(lambda: list(AnonymousEvent.objects.values_list("event", flat=True)) == ["impression"])
    session = AnonymousEvent.objects.get().session
    assert RequestLog.objects.get().user_id == f"anonymous:{session}"
