"""Business rules may name people, where people are recommended: whoever is forgotten is named by none."""

import pytest
from django.contrib.auth.models import User

from backend.marketplace.models import Investor
from recommender_app.models import BusinessRule, RuleChange
from recommender_app.privacy import export_user, forget_user, forgetting
from recommender_app.registry.rules import save_rule

pytestmark = pytest.mark.django_db
WHAT = "business rules and their trail"


@pytest.fixture(autouse=True)
def _at_once(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0.0)  # no other process writes here
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0.0}


@pytest.fixture
def people():
    accounts = [User.objects.create(username=name) for name in ("ann", "bob")]
    return [Investor.objects.create(account=account) for account in accounts]


def rule(name, *item_ids, use_case="startup_investor"):
    made = BusinessRule(use_case=use_case, name=name, kind="pin", position=1, item_ids=list(item_ids), is_active=True)
    return save_rule(made, by="carla")


def told(report):
    return [(line.outcome, line.n) for line in report.lines if line.what == WHAT]


def test_a_rule_forgets_the_person_and_keeps_the_others(people):
    ann, bob = (str(person.pk) for person in people)
    both = rule("both", ann.upper(), bob)
    rule("bob", bob)
    rule("elsewhere", ann, use_case="startup_developer")  # developers are its items: another's key
    assert export_user("investor_startup", ann)["named_by_rules"] == 2
    assert told(forget_user("investor_startup", ann, dry_run=True)) == [("removed", 2)]
    assert BusinessRule.objects.get(pk=both.pk).item_ids == [ann.upper(), bob]
    assert told(forget_user("investor_startup", ann)) == [("removed", 2)]
    ids = BusinessRule.objects.filter(use_case="startup_investor").order_by("pk").values_list("item_ids", flat=True)
    assert list(ids) == [[bob], [bob]]
    assert RuleChange.objects.get(rule_id=both.pk).after["item_ids"] == ["", bob]
    assert told(forget_user("investor_startup", ann)) == [("removed", 0)]


def test_a_rule_about_nobody_else_goes_instead_of_being_about_everybody(people):
    only = rule("only", str(people[0].pk))
    people[0].delete()
    assert told(forget_user("investor_startup", only.item_ids[0])) == [("removed", 2)]
    assert not BusinessRule.objects.exists()
    last = RuleChange.objects.first()
    assert (last.changed_by, last.before["item_ids"], last.after) == ("recommender_forget_user", [], None)
    assert only.item_ids[0] not in str(list(RuleChange.objects.values()))
