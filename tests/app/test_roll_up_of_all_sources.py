"""Roll-ups of any day with all that people do: posts, visits before a login, and what the host's own views write."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender_app.measurement import roll_up as rolling
from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog, RolledUpDay, RollUp, RollUpShape
from recommender_app.usecases.visitors import Visitor
from tests.app import library
from tests.app.hand_count import Did, Told
from tests.app.measured import at, event, read, roll_up
from tests.app.test_roll_up_by_hand import ARMS, AROUND, VERSIONS, by_hand, rolled_up, told
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
USERS = st.sampled_from(["ann", "bob", "visitor", "other"])
ITEMS = st.sampled_from(["tea", "sea"])
ANSWERS = st.tuples(USERS, st.lists(ITEMS, max_size=3), AROUND, VERSIONS, ARMS, st.booleans())
MOMENTS = st.one_of(AROUND, st.integers(12 * 60, 70 * 60))
DEEDS = st.tuples(st.sampled_from(["post", "undone", "host", "both"]), USERS, ITEMS, st.booleans(), MOMENTS)


@pytest.fixture
def keys(db):
    """What the log calls the two readers, the visitors and the books."""
    books = library.add_books("tea", "sea")
    readers = {name: library.add_reader(name) for name in ("ann", "bob")}
    visitors = {name: Visitor(uuid.uuid4().hex) for name in ("visitor", "other")}
    return {**readers, **visitors, **{book.title: book for book in books}}


def done(keys, drawn):
    """Have somebody do something in one of the ways that there are; return what counts of it."""
    how, who, what, is_strong, minutes = drawn
    user, item, hours = keys[who], keys[what], minutes / 60
    if isinstance(user, Visitor):
        name = "click" if is_strong else "impression"
        AnonymousEvent.objects.create(
            use_case="books",
            session=user.session,
            event_id=uuid.uuid4().hex,
            item_id=str(item.pk),
            event=name,
            occurred_at=at(hours),
            receipt=uuid.uuid4(),
        )
        return Did(user.pk, str(item.pk), name, at(hours), None, None)
    name = "finish" if is_strong else "like"
    if how in ("host", "both"):
        read(user, item, name, hours)
    if how != "host":
        event(user, item, name, hours, undone_at=at(99) if how == "undone" else None)
    return None if how == "undone" else Did(str(user.pk), str(item.pk), name, at(hours), None, None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.lists(ANSWERS, max_size=8, unique_by=lambda drawn: drawn[2]),
    deeds=st.lists(DEEDS, max_size=8, unique_by=lambda drawn: drawn[4]),
)
def test_whoever_did_it_and_however_it_came_it_counts_once(monkeypatch, keys, answers, deeds):
    for model in (RequestLog, FeedbackEvent, AnonymousEvent, Reading, RollUp, RollUpShape, RolledUpDay):
        model.objects.all().delete()
    shown = [_told(keys, drawn) for drawn in answers]
    acts = [found for found in (done(keys, drawn) for drawn in deeds) if found]
    expected = by_hand(shown, acts)
    for enough in (10**9, 1):  # answers for the fast way, which SQLite never goes
        monkeypatch.setattr(rolling, "MANY", enough)
        roll_up()
        assert rolled_up() == expected


def _told(keys, drawn) -> Told:
    who, items, *rest = drawn
    return told((str(keys[who].pk), [str(keys[item].pk) for item in items], *rest))
