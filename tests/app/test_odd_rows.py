"""Rules and policies that staff or SQL made wrong: refused with a sentence, or ignored; never an answer lost."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import BusinessRule, PolicyChange, RuleChange, ServingPolicy
from recommender_app.models.json_rules import json_problem
from recommender_app.registry.policies import save_policy
from recommender_app.registry.rules import publish_rule, save_rule, withdraw_rule
from recommender_app.serving import policies, rule_book
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import library

pytestmark = pytest.mark.django_db
DEEP = "[" * 3000 + "]" * 3000


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("root"))
    return client


def url(model, page="add", *args):
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


def act(staff, action, stored):
    sent = {"action": action, "_selected_action": [stored.pk]}
    return staff.post(url("businessrule", "changelist"), sent, follow=True)


def rule(**fields):
    stored = {"name": "tea last", "kind": "bury", "factor": 0, "condition": {"genre": "tea"}, **fields}
    return BusinessRule(use_case="books", **stored)


def test_a_rule_that_moves_to_another_use_case_leaves_a_trace(staff):
    moved = save_rule(rule(), by="ann")
    moved.use_case = "movies"
    save_rule(moved, by="bob")
    change = RuleChange.objects.first()
    assert (change.before["use_case"], change.after["use_case"], change.changed_by) == ("books", "movies", "bob")
    assert '<td class="field-changed_fields">use_case</td>' in staff.get(url("rulechange", "changelist")).text


def test_a_policy_that_moves_to_another_use_case_leaves_a_trace():
    moved = save_policy(ServingPolicy(use_case="books", name="x"), by="ann")
    moved.use_case = "movies"
    save_policy(moved, by="bob")
    change = PolicyChange.objects.first()
    assert (change.before["use_case"], change.after["use_case"]) == ("books", "movies")


@pytest.mark.parametrize(
    "text",
    [DEEP, "[" * 100_000, '["\\u0000"]', '["\\ud800"]', "[1e999]", "[NaN]", f"[{'9' * 4000}]", f"[{'9' * 5000}]"],
)
@pytest.mark.parametrize("name", ["condition", "item_ids"])
def test_the_form_of_a_rule_refuses_json_that_cannot_be_stored_or_read(staff, name, text):
    sent = {"use_case": "books", "name": "x", "kind": "bury", "factor": "0", "out_of": "10", "priority": "0"}
    page = staff.post(url("businessrule"), {**sent, name: text})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors[name]
    assert not BusinessRule.objects.exists()


@pytest.mark.parametrize("text", [DEEP, f'{{"als": 1{"0" * 400}}}', '{"als": 1e999}', '{"als": NaN}', '{"\\u0000": 1}'])
@pytest.mark.parametrize("name", ["routes", "weights", "caps"])
def test_the_form_of_a_policy_refuses_json_that_cannot_be_stored_or_read(staff, name, text):
    page = staff.post(url("servingpolicy"), {"use_case": "books", "name": "x", name: text})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors[name]
    assert not ServingPolicy.objects.exists()


@pytest.mark.parametrize("fields", [{"condition": {"genre": "a\0"}}, {"condition": {"a\0": 1}}, {"item_ids": ["\0"]}])
def test_control_characters_are_refused_before_a_database_sees_them(fields):
    with pytest.raises(ConfigurationError, match="plain text"):
        save_rule(rule(**fields), by="ann")
    with pytest.raises(ConfigurationError, match="plain text"):
        save_policy(ServingPolicy(use_case="books", caps={"a\0": 1}), by="ann")


@pytest.mark.parametrize("value", [{}, [], {"a": ["b", 1, 2.5, True, None]}, [[0, "als"]], "tea", "Tür 茶", None])
def test_plain_json_is_no_problem(value):
    assert json_problem(value) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"condition": [1]},
        {"condition": {"pages": {"a": 1}}},
        {"item_ids": 5},
        {"item_ids": {"a": 1}},
        {"item_ids": [None]},
    ],
)
def test_a_rule_broken_by_hand_is_ignored_and_said_once_while_the_others_are_in_force(fields, caplog):
    library.add_shelves(3)
    reader = library.add_reader()
    rule(name="odd", is_active=True, **fields).save()
    save_rule(rule(name="sea last", condition={"genre": "sea"}, is_active=True), by="ann")
    for _ in range(2):
        assert library.titles(recommend(reader, "books", 6).results)[0] == "tea-2"
    assert caplog.text.count("'odd' of books is ignored") == 1


@pytest.mark.parametrize("fields", [{"condition": [1]}, {"condition": 5}, {"item_ids": 5}, {"item_ids": {"a": 1}}])
def test_the_admin_shows_rules_that_were_broken_by_hand(staff, fields):
    odd = rule(name="odd", **fields)
    odd.save()
    for page in (url("businessrule", "changelist"), url("businessrule", "change", odd.pk)):
        assert staff.get(page).status_code == 200
    assert "Write " in staff.get(url("businessrule", "preview", odd.pk)).text


def test_rules_that_cannot_even_be_read_leave_the_last_known_in_force_and_are_said_once(caplog, monkeypatch):
    known = save_rule(rule(is_active=True), by="ann")
    assert [each.name for each in rule_book.all_rules(get_use_case("books"))] == [known.name]

    def nonsense(key):
        raise RecursionError("brackets")  # what json.loads says of a column with thousands of them

    monkeypatch.setattr(rule_book, "published_rules", nonsense)
    for _ in range(2):
        assert [each.name for each in rule_book.all_rules(get_use_case("books"))] == [known.name]
    assert caplog.text.count("cannot be read") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"routes": 5}, {"routes": [[0, ["als"]]]}, {"routes": [[0]]}, {"disabled": [["als"]]}, {"disabled": 3},
        {"weights": {"als": 1e308, "two_tower": 1e308}}, {"weights": [1]},
        {"weights": {"als": 10**400}}, {"weights": {"als": "x"}},
        {"caps": 7}, {"caps": {"genre": {}}},
    ],
)  # fmt: skip
def test_a_policy_broken_by_hand_leaves_the_one_before_in_force_and_is_said_once(fields, caplog):
    library.add_shelves(3)
    reader = library.add_reader()
    stored = save_policy(ServingPolicy(use_case="books", name="sound", diversity=0.1), by="ann")
    assert policies.policy_for("books").name == "sound"
    ServingPolicy.objects.filter(pk=stored.pk).update(name="broken", **fields)
    for _ in range(2):
        answer = recommend(reader, "books", 2)
        assert (len(answer.results), answer.policy) == (2, "sound")
    assert caplog.text.count("makes no sense") == 1


def test_a_rule_that_no_longer_fits_cannot_be_published_but_withdrawn(staff):
    odd = rule(condition={"colour": "red"})
    odd.save()
    page = act(staff, "publish", odd)
    assert "is not published: There is no attribute" in page.text
    assert not BusinessRule.objects.get().is_active
    BusinessRule.objects.update(is_active=True)
    act(staff, "withdraw", odd)
    assert not BusinessRule.objects.get().is_active
    assert RuleChange.objects.get().changed_by == "root"


def test_a_rule_of_a_use_case_that_is_gone_cannot_be_published(staff):
    gone = rule()
    gone.use_case = "gone"
    gone.save()
    page = act(staff, "publish", gone)
    assert "is not published: There is no use case" in page.text
    assert not BusinessRule.objects.get().is_active


def test_publishing_changes_nothing_that_somebody_else_edited_meanwhile():
    seen = save_rule(rule(), by="ann")
    BusinessRule.objects.update(factor=0.5, name="tea later")
    publish_rule(seen.pk, by="bob")
    stored = BusinessRule.objects.get()
    assert (stored.is_active, stored.factor, stored.name) == (True, 0.5, "tea later")
    withdraw_rule(seen.pk, by="bob")
    assert not BusinessRule.objects.get().is_active
    published, withdrawn = RuleChange.objects.order_by("id")[1:]
    assert [change.after["is_active"] for change in (published, withdrawn)] == [True, False]
    assert published.after["factor"] == 0.5


def test_a_rule_without_sense_or_that_is_gone_is_not_published():
    senseless = rule(condition={})
    senseless.save()
    with pytest.raises(ConfigurationError, match="about no item"):
        publish_rule(senseless.pk, by="ann")
    with pytest.raises(ConfigurationError, match="deleted meanwhile"):
        publish_rule(senseless.pk + 1, by="ann")
    withdraw_rule(senseless.pk + 1, by="ann")
    assert not RuleChange.objects.exists()
