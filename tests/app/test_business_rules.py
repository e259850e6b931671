"""Business rules as rows: what may be stored, the trail, the form, and the preview."""

from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import BusinessRule, RequestLog, RuleChange
from recommender_app.registry.rules import delete_rule, save_rule
from recommender_app.serving.arranging.preview import preview_rule, sample_users
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


def rule(kind="bury", **fields):
    if kind in ("bury", "boost"):
        fields.setdefault("factor", 0 if kind == "bury" else 2)
    return BusinessRule(use_case="books", name="tea last", kind=kind, **{"condition": {"genre": "tea"}, **fields})


@pytest.fixture
def shop():
    """Six books on tea, six on the sea, two readers, and an engine that likes tea."""
    books = library.add_shelves()
    readers = [library.add_reader("ann"), library.add_reader("bob")]
    with override_engine("books", FixedEngine([book.pk for book in books])):
        yield books, readers


def login(client, *codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)


def url(page, *args, model="businessrule"):
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"factor": 1.5}, "bury one from 0 to below 1"),
        ({"kind": "boost", "factor": 1}, "factor above 1"),
        ({"kind": "boost", "factor": None}, "factor above 1"),
        ({"kind": "pin"}, "position from 1"),
        ({"kind": "pin", "position": 0}, "position from 1"),
        ({"kind": "pin", "position": 1, "factor": 2}, "others have none"),
        ({"kind": "quota"}, "count from 1"),
        ({"kind": "quota", "count": 11}, "count from 1"),
        ({"position": 3}, "others have none"),
        ({"condition": {}}, "about no item"),
        ({"condition": ["tea"]}, "one value or a list of values"),
        ({"condition": {"genre": []}}, "one value or a list of values"),
        ({"condition": {"genre": {"deep": 1}}}, "one value or a list of values"),
        ({"item_ids": "17"}, "list of keys"),
        ({"starts_at": timezone.now(), "ends_at": timezone.now()}, "ends before it starts"),
    ],
)
def test_a_rule_without_sense_is_refused_in_one_line(fields, said):
    starts, ends = fields.get("starts_at"), fields.get("ends_at")
    if starts and ends:
        fields = {"starts_at": ends, "ends_at": starts}
    with pytest.raises(ConfigurationError, match=said):
        save_rule(rule(**fields), by="ann")
    assert not BusinessRule.objects.exists()
    assert not RuleChange.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [{"factor": None}, {"factor": 1.0}, {"kind": "pin"}, {"kind": "quota"}, {"kind": "promote", "factor": None}],
)
def test_the_database_refuses_it_too(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(**fields).save()


def test_every_change_leaves_a_trail():
    stored = save_rule(rule(), by="ann")
    stored.factor = 0.5
    save_rule(stored, by="bob")
    delete_rule(stored, by="cid")
    created, changed, deleted = RuleChange.objects.order_by("id")
    assert [change.changed_by for change in (created, changed, deleted)] == ["ann", "bob", "cid"]
    assert (created.before, created.after["factor"]) == (None, 0)
    assert (changed.before["factor"], changed.after["factor"]) == (0, 0.5)
    assert (deleted.before["factor"], deleted.after) == (0.5, None)


def test_the_preview_shows_what_moves_and_leaves_no_trace(shop):
    _, readers = shop
    draft = save_rule(rule(kind="pin", position=2, condition={"genre": "sea"}), by="ann")
    found = preview_rule(draft, n_users=5, limit=3)
    assert [comparison.user for comparison in found] == readers
    assert [(place.item.title, place.change) for place in found[0].before] == [
        ("tea-0", "same"), ("tea-1", "same"), ("tea-2", "goes"),
    ]  # fmt: skip
    assert [(place.item.title, place.change, place.rank_before) for place in found[0].after] == [
        ("tea-0", "same", 1), ("sea-0", "comes", None), ("tea-1", "down", 2),
    ]  # fmt: skip
    assert not RequestLog.objects.exists()
    assert library.titles(recommend(readers[0], "books", 3).results) == ["tea-0", "tea-1", "tea-2"]


def test_the_preview_of_a_published_rule_shows_what_it_does(shop):
    published = save_rule(rule(is_active=True, starts_at=timezone.now() + timezone.timedelta(days=9)), by="ann")
    (comparison, _) = preview_rule(published, n_users=2, limit=2)
    assert [place.item.title for place in comparison.before] == ["tea-0", "tea-1"]
    assert [place.item.title for place in comparison.after] == ["sea-0", "sea-1"]


def test_the_preview_differs_by_the_rule_alone_even_where_the_policy_explores(shop):
    library.Book.objects.create(title="moon-0", genre="moon")
    draft = save_rule(rule(condition={"genre": "moss"}), by="ann")
    with forced_policy("books", Policy("test", ((0, "fixed"),), exploration=0.5)):
        assert not any(comparison.is_changed for comparison in preview_rule(draft, n_users=2, limit=5))


def test_those_who_asked_last_are_the_sample(shop):
    _, (ann, bob) = shop
    recommend(ann, "books", 1)
    recommend(bob, "books", 1)
    use_case = get_use_case("books")
    assert sample_users(use_case, 1) == [bob]
    assert sample_users(use_case, 2) == [bob, ann]
    RequestLog.objects.update(user_id="no number")
    assert sample_users(use_case, 1) == [ann]


def test_the_preview_page_shows_both_lists_and_marks_what_moved(shop, client):
    login(client, "view_businessrule", "change_businessrule")
    draft = save_rule(rule(kind="pin", position=1, condition={}, item_ids=[str(shop[0][7].pk)]), by="ann")
    page = client.get(url("preview", draft.pk))
    assert page.status_code == 200
    text = page.content.decode()
    assert "It changes the lists of 2 of 2 sample users" in text
    assert "nobody else sees it" in text
    assert '<tr class="comes"><td>1</td><td>sea-1</td>' in text or '<tr class="up"><td>1</td><td>sea-1</td>' in text
    assert "&darr; from 1" in text
    assert not RequestLog.objects.exists()
    assert url("preview", draft.pk) in client.get(url("change", draft.pk)).content.decode()


def test_names_of_items_are_escaped_in_the_preview(shop, client):
    login(client, "view_businessrule", "change_businessrule")
    library.Book.objects.filter(pk=shop[0][0].pk).update(title="<script>alert(1)</script>")
    draft = save_rule(rule(), by="ann")
    text = client.get(url("preview", draft.pk)).content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_preview_says_why_a_rule_cannot_be_tried(shop, client):
    login(client, "view_businessrule", "change_businessrule")
    draft = BusinessRule.objects.create(
        use_case="books", name="old", kind="bury", factor=0, condition={"colour": "red"}
    )
    assert "no attribute &#x27;colour&#x27;" in client.get(url("preview", draft.pk)).content.decode()
    gone = BusinessRule.objects.create(use_case="gone", name="old", kind="bury", factor=0, condition={"colour": "red"})
    assert "no use case &#x27;gone&#x27;" in client.get(url("preview", gone.pk)).content.decode()


def test_only_those_who_may_change_rules_see_the_preview(shop, client):
    draft = save_rule(rule(), by="ann")
    assert client.get(url("preview", draft.pk)).status_code == 302
    login(client, "view_businessrule")
    assert client.get(url("preview", draft.pk)).status_code == 403
    assert client.get(url("preview", 999)).status_code == 403
    User.objects.get(username="staff").user_permissions.add(Permission.objects.get(codename="change_businessrule"))
    assert client.get(url("preview", 999)).status_code == 404


def form(**fields):
    return {
        "use_case": "books", "name": "tea last", "kind": "bury", "condition": '{"genre": "tea"}', "item_ids": "",
        "factor": "0", "out_of": "10", "priority": "0", **fields,
    }  # fmt: skip


def test_a_rule_is_added_in_the_admin_with_its_trail(client):
    login(client, "view_businessrule", "add_businessrule")
    page = client.post(url("add"), form())
    assert page.status_code == 302, page.context["errors"]
    stored = BusinessRule.objects.get()
    assert (stored.condition, stored.item_ids, stored.is_active) == ({"genre": "tea"}, [], False)
    assert RuleChange.objects.get().changed_by == "staff"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"condition": '{"reader__account__password": "x"}'}, "There is no attribute"),
        ({"item_ids": '["17"]'}, "cannot be a key"),
        ({"factor": "2"}, "to below 1"),
        ({"condition": "{"}, "valid JSON"),
        ({"condition": ""}, "about no item"),
        ({"use_case": "cars"}, "Select a valid choice"),
    ],
)
def test_the_form_names_the_mistake(client, fields, said):
    login(client, "view_businessrule", "add_businessrule")
    page = client.post(url("add"), form(**fields))
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not BusinessRule.objects.exists()


def test_what_no_item_has_now_is_a_warning_and_no_mistake(shop, client):
    login(client, "view_businessrule", "add_businessrule")
    known, gone = str(library.Book.objects.first().pk), str(UUID(int=404))
    fields = {"condition": '{"genre": ["tea", "moon"]}', "item_ids": f'["{known}", "{gone}"]'}
    client.post(url("add"), form(**fields))
    assert BusinessRule.objects.count() == 1
    warnings = [message for message in get_messages_of(client) if message.level_tag == "warning"]
    assert [str(message) for message in warnings] == [
        f"No item has item_ids '{gone}' now: the rule waits until one does.",
        "No item has genre 'moon' now: the rule waits until one does.",
    ]


def test_a_rule_about_what_is_there_needs_no_warning(shop, client):
    login(client, "view_businessrule", "add_businessrule")
    client.post(url("add"), form())
    assert {message.level_tag for message in get_messages_of(client)} == {"success"}


def get_messages_of(client):
    return list(client.get(url("changelist")).context["messages"])


def test_the_form_knows_whether_ages_are_known(client, monkeypatch):
    login(client, "view_businessrule", "add_businessrule")
    monkeypatch.setattr(BooksForReaders, "newest_first", ("-pk",))
    page = client.post(url("add"), form(new_within_days="7"))
    assert "Nothing says how old an item is" in page.content.decode()


def test_rules_are_published_and_withdrawn_from_the_list(shop, client):
    _, readers = shop
    login(client, "view_businessrule", "change_businessrule")
    draft = save_rule(rule(), by="ann")
    for action, first in (("publish", "sea-0"), ("withdraw", "tea-0")):
        client.post(url("changelist"), {"action": action, "_selected_action": [draft.pk]})
        assert library.titles(recommend(readers[0], "books", 2).results)[0] == first
    assert [change.changed_by for change in RuleChange.objects.order_by("id")] == ["ann", "staff", "staff"]


def test_the_trail_is_for_reading_only(client):
    User.objects.create_superuser("root")
    client.force_login(User.objects.get())
    save_rule(rule(), by="ann")
    change = RuleChange.objects.get()
    assert "created" in client.get(url("changelist", model="rulechange")).content.decode()
    assert client.post(url("delete", change.pk, model="rulechange"), {"post": "yes"}).status_code == 403
